"""The cluster bus: connections, messages in and out, and what is done to them on purpose."""
