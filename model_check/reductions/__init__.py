"""Explorations that visit less than every state, and judge the same.

`sends_first` and `local_exploration` each say of what they hold, and what they refuse.
"""
