"""The TLA+ module of spec/tla, run by TLC and compared with the core."""
