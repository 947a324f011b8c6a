"""The Redis Cluster protocol as a pure core, its wire formats and a node that speaks them."""
