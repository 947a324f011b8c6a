"""The outputs that all commands that explore have in common."""

from pathlib import Path

import attrs
import click

from model_check.option_fields import option


@attrs.frozen(kw_only=True)
class CiOutputs:
    """For continuous integration."""

    junit: Path | None = option(
        "--junit",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write the results there as JUnit XML; what is incomplete is an error.",
    )
    sarif: Path | None = option(
        "--sarif",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write what is violated or incomplete there as SARIF 2.1.0.",
    )
    github: bool = option(
        "--github",
        is_flag=True,
        default=False,
        help="Print annotations for GitHub Actions, and append to $GITHUB_STEP_SUMMARY.",
    )

    @property
    def any(self) -> bool:
        """Whether one of them is asked for."""
        return self.junit is not None or self.sarif is not None or self.github
