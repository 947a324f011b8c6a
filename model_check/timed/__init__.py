"""How long two nodes can both take writes: the core and the pacemaker under a discrete clock."""
