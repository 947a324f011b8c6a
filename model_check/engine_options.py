"""How the command line says in which way explorations are made."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

import attrs
import click

from model_check.engine.options import Options, cores
from model_check.option_fields import option
from model_check.reductions.chosen import REDUCTIONS, Reduction

_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SOURCES: Final = ("model_check", "reference/core")


def _parsed_size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    del ctx, param
    if value is None:
        return None
    form = re.fullmatch(r"(\d+)([KMGT]?)(i?B)?", value.strip(), re.IGNORECASE)
    if form is None:
        raise click.BadParameter(f"{value!r}: a size is a number and a unit, as in 800M or 4G")
    return int(form[1]) * _UNITS[form[2].upper()]


@attrs.frozen(kw_only=True)
class Engine:
    """In which way. None of this changes a verdict."""

    workers: int = option(
        "--workers",
        type=click.IntRange(min=1),
        default=cores(),
        show_default="one for each core",
        help="Expand states on so many threads.",
    )
    exact: bool = option(
        "--exact",
        is_flag=True,
        default=False,
        help="Keep whole states and compare them: no state can be missed.",
    )
    symmetry: bool = option(
        "--symmetry",
        is_flag=True,
        default=False,
        help="Count states that differ in interchangeable names as one, where a model has such.",
    )
    reductions: tuple[Reduction, ...] = option(
        "--reduce",
        multiple=True,
        default=(),
        type=click.Choice(REDUCTIONS),
        help="With --links set: explore each node apart first (local), or send first what costs "
        "nothing (sends-first); may be given more than once.",
    )
    memory: int | None = option(
        "--memory",
        callback=_parsed_size,
        metavar="SIZE",
        help="Move states and transitions to files when they take more, as in 800M or 4G. What has"
        " to be in memory ends the exploration when it takes more, which is then incomplete: where"
        " runs end (agreement) is judged with 17 to 45 bytes for each state, what fair runs lead to"
        " with about 36 for each transition; all else needs next to none.",
    )
    folder: Path | None = option(
        "--spill-to",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="With --memory: where these files are. Default: where temporary files are.",
    )
    checkpoint: Path | None = option(
        "--checkpoint",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Save there from time to time how far each exploration is.",
    )
    checkpoint_seconds: float = option(
        "--checkpoint-every",
        type=click.FloatRange(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="At least so much time is between two.",
    )
    resume: bool = option(
        "--resume",
        is_flag=True,
        default=False,
        help="With --checkpoint: go on from what is saved there.",
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.resume and self.checkpoint is None:
            raise click.UsageError("--resume needs --checkpoint DIR")
        if self.folder is not None and self.memory is None:
            raise click.UsageError("--spill-to needs --memory SIZE")
        if self.reductions and (self.symmetry or self.memory or self.checkpoint):
            raise click.UsageError("--reduce takes no --symmetry, --memory or --checkpoint")
        if self.exact and self.memory is not None:
            raise click.UsageError("--exact keeps all states in memory: it takes no --memory")

    def options(self, *parts: str) -> Options:
        """The same for one exploration, which these words tell from all others."""
        name = re.sub(r"[^A-Za-z0-9.]+", "-", " ".join(parts)).strip("-")
        return Options(
            workers=self.workers,
            exact=self.exact,
            symmetry=self.symmetry,
            memory=self.memory,
            folder=self.folder,
            checkpoint=None if self.checkpoint is None else self.checkpoint / name,
            checkpoint_seconds=self.checkpoint_seconds,
            resume=self.resume,
            identity="" if self.checkpoint is None else f"{' '.join(parts)}, code {_code()}",
        )


@cache
def _code() -> str:
    """A digest of the code that a checkpoint depends on."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
