"""What the runs exercised, as the Markdown of a job summary."""

from model_check.coverage import Coverage, summary
from model_check.coverage.exclusions import KINDS
from model_check.coverage.told import TITLES, Summary, known


def coverage_table(coverage: Coverage) -> str:
    """A table of counts, and the names of what was never exercised, to be unfolded.

    In italics is what was called or read, and made no difference.
    """
    found = [summary(coverage, kind) for kind in KINDS]
    lines = [
        "",
        f"### Coverage of {len(coverage.runs)} runs",
        "",
        "| | all | exercised | out of scope | never exercised |",
        "|-|-:|-:|-:|-:|",
        *(
            f"| {TITLES[each.kind]} | {len(known(each.kind))} | {len(each.exercised)} "
            f"| {len(each.excluded)} | {len(each.never)} |"
            for each in found
        ),
        "",
        "<details><summary>Never exercised, though in scope</summary>",
        "",
        *(f"- {TITLES[each.kind]}: {_names(each)}" for each in found if each.never),
        "",
        "</details>",
        "",
    ]
    return "\n".join(lines)


def _names(found: Summary) -> str:
    """The names, in italics those that were called or read and made no difference."""
    return ", ".join(f"_`{name}`_" if name in found.tried else f"`{name}`" for name in found.never)
