"""Exhaustive exploration of systems of processes and links, on interned integers."""
