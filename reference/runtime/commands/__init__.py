"""The commands of clients, by what they are about."""
