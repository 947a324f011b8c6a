"""The client port: connections, and what becomes of the bytes on them."""
