"""Exhaustive exploration of systems of processes and links, on interned integers."""

from model_check.engine.breadth_first import explore
from model_check.engine.exploration import Exploration, Limits, Progress, PropertyResult, Watch
from model_check.engine.options import Options
from model_check.engine.state_graph import StateGraph

__all__ = [
    "Exploration",
    "Limits",
    "Options",
    "Progress",
    "PropertyResult",
    "StateGraph",
    "Watch",
    "explore",
]
