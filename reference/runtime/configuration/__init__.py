"""The configuration as servers read it."""
