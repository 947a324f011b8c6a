"""What the command line of `slotproof check` can ask for, section by section."""

from pathlib import Path

import attrs
import click

from model_check.engine import Limits
from model_check.links import Links, parse_links
from model_check.option_fields import option
from reference.core.rules import DIALECTS, SWITCHES, Rules

STATES_AFTER_VIOLATION = 2_000_000
"""How far a check goes on to see which other properties are violated."""


def _parsed_links(ctx: click.Context, param: click.Parameter, value: str | None) -> Links | None:
    del ctx, param
    try:
        return None if value is None else parse_links(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@attrs.frozen(kw_only=True)
class Selection:
    """What is checked."""

    dialects: tuple[str, ...] = option(
        "--dialect",
        multiple=True,
        default=(),
        type=click.Choice(list(DIALECTS)),
        help="Whose rules to check; may be given more than once. Default: all.",
    )
    links: Links | None = option(  # None: each model's own
        "--links",
        callback=_parsed_links,
        metavar="KIND",
        help="held(K), held(K,fifo), fifo(C) or set. Default: the model's own.",
    )
    without: tuple[str, ...] = option(
        "--without",
        multiple=True,
        default=(),
        type=click.Choice(SWITCHES),
        metavar="RULE",
        help="Turn a rule off; may be given more than once.",
    )
    cfg: Path | None = option(
        "--cfg",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Take the scope of one yardstick/... from this configuration file of TLC.",
    )

    def chosen(self) -> list[Rules]:
        """The dialects asked for; if none was, those that have the rules to turn off.

        Raises click.UsageError if there are none, or one has no such rule.
        """
        chosen = [DIALECTS[name] for name in self.dialects or DIALECTS]
        if not self.dialects:
            chosen = [r for r in chosen if all(getattr(r, rule) for rule in self.without)]
        for rules in chosen:
            try:
                rules.without(*self.without)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
        if not chosen:
            raise click.UsageError(f"no dialect has all of {', '.join(self.without)}")
        return chosen


@attrs.frozen(kw_only=True)
class Bounds:
    """How far it goes."""

    stop_at_first: bool = option(
        "--first", is_flag=True, default=False, help="Stop at the first property that is violated."
    )
    states: int | None = option(
        "--limit-states",
        type=click.IntRange(min=1),
        help="Stop each exploration at that size; it is then incomplete.",
    )
    seconds: float | None = option(
        "--limit-seconds",
        type=click.FloatRange(min=0, min_open=True),
        help="Stop each exploration after that time; it is then incomplete.",
    )

    @property
    def limits(self) -> Limits:
        """Where an exploration stops at the latest."""
        return Limits(states=self.states, seconds=self.seconds)

    @property
    def states_after_violation(self) -> int:
        """How many states are still explored when a violation has been found."""
        return 0 if self.stop_at_first else STATES_AFTER_VIOLATION


@attrs.frozen(kw_only=True)
class Outputs:
    """What is written besides."""

    json_file: Path | None = option(
        "--json",
        type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
        help="Write the results there as JSON; - is standard output.",
    )
    graphml: Path | None = option(
        "--graphml",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write the explored graph there; takes one MODEL and one --dialect.",
    )
    stories: Path | None = option(
        "--story",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Write each counterexample there as .svg, .html, .mmd, and .json for "
        "`slotproof replay`.",
    )
    witnesses: bool = option(
        "--witnesses",
        is_flag=True,
        default=False,
        help="With --story: also how each witness is reached.",
    )
    coverage: bool = option(
        "--coverage",
        is_flag=True,
        default=False,
        help="Show which rules, refusals and switches the runs exercised, and which never.",
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.witnesses and self.stories is None:
            raise click.UsageError("--witnesses needs --story DIR")

    @property
    def json_is_text(self) -> bool:
        """Whether standard output is for the JSON, and nothing else may stand there."""
        return str(self.json_file) == "-"
