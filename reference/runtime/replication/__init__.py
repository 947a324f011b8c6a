"""Masters and replicas: the stream of data between them."""
