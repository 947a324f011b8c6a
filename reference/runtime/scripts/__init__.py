"""Lua for clients."""
