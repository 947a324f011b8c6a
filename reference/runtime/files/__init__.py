"""The file nodes.conf."""
