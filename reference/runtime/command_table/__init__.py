"""The table of commands: names, arity, flags, keys, categories."""
