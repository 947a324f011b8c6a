"""The data of a node, behind one interface, and what commands have done to it."""
