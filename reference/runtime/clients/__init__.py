"""What a client is to a node: its session, its requests under way, what it is shown."""
