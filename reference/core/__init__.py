"""The rules of the protocol as a pure, timeless state machine."""
