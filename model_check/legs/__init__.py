"""Faults seeded in each leg of the argument, and which legs notice: `slotproof legs`."""
