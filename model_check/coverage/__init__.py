"""Which rules, refusals and switches of the core the runs of a command exercised."""

from model_check.coverage.record import Coverage, WatchedSystem
from model_check.coverage.told import coverage_as_json, show_coverage, summary

__all__ = ["Coverage", "WatchedSystem", "coverage_as_json", "show_coverage", "summary"]
