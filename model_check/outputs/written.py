"""All outputs for continuous integration that were asked for."""

from model_check.coverage import Coverage
from model_check.judged import JudgedRun
from model_check.outputs.github import annotate, append_summary
from model_check.outputs.junit import write_junit
from model_check.outputs.options import CiOutputs
from model_check.outputs.sarif import write_sarif


def write_for_ci(
    asked: CiOutputs, runs: list[JudgedRun], exit_code: int, coverage: Coverage | None = None
) -> None:
    """Each file that was asked for is written, in its folder, and the annotations are printed."""
    for path in (asked.junit, asked.sarif):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    if asked.junit is not None:
        write_junit(runs, asked.junit)
    if asked.sarif is not None:
        write_sarif(runs, asked.sarif, exit_code)
    if asked.github:
        annotate(runs)
        append_summary(runs, coverage)
