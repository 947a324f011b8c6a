"""Bytes to values and back: bus messages, nodes.conf and the client protocol."""
