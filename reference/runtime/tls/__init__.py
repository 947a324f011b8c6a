"""TLS for all ports."""
