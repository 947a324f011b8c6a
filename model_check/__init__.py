"""Explores every interleaving of the core's messages, timers and crashes."""
