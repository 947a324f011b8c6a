"""A run of the command: each setting is proved, shown and, if asked for, confirmed."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from model_check.induction.confirm import confirm as look_for
from model_check.induction.proof import Proof, Watch, prove
from model_check.induction.report import (
    point_to,
    show,
    show_found,
    title_of,
)
from model_check.induction.setting import Setting
from model_check.properties import Verdict


@contextmanager
def _watching(title: str) -> Iterator[Watch | None]:
    """Shows on standard error which condition is asked for, if that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status(title) as status:
        yield lambda done, total, name: status.update(f"{title}: {done} of {total}, {name}")


def run(
    settings: list[Setting],
    console: Console,
    seconds: float,
    *,
    confirm: bool,
    each_condition: bool,
) -> set[Verdict]:
    """The verdict of each setting, which has been shown."""
    verdicts: set[Verdict] = set()
    for setting in settings:
        with _watching(title_of(setting)) as watch:
            proof = prove(setting, seconds, watch)
        show(proof, console, each_condition=each_condition)
        _confirm(proof, console, explore=confirm)
        verdicts.add(proof.verdict)
    return verdicts


def _confirm(proof: Proof, console: Console, *, explore: bool) -> None:
    for result in proof.results:
        if not result.refuted:
            continue
        hunt = point_to(proof.setting, result, console)
        if hunt is None or not explore:
            continue
        found = look_for(proof.setting, result.prop.id, hunt)
        if found is not None:
            show_found(found, console)
    if any(result.refuted for result in proof.results):
        console.print()
