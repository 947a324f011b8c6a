"""The scopes that are checked."""
