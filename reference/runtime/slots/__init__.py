"""Slots on their way between nodes, with their keys."""
