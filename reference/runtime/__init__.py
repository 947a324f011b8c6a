"""The only place with sockets, a clock, randomness and files."""
