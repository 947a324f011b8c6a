"""The stories of the gallery and of the findings, as the checker tells them now.

`python -m tests.scenarios.keep_stories` checks the models of `stories/` again, writes each story
that is told differently now, and those that are wanted and missing. What is kept is replayed by the
tests for ever.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from model_check.gallery import GALLERY
from model_check.links import parse_links
from model_check.models import MODELS
from model_check.run import check
from model_check.story_files import as_story
from reference.core.rules import DIALECTS

STORIES: Final = Path(__file__).parent / "stories"


@attrs.frozen(order=True)
class Kept:
    """What a story is about."""

    model: str
    property_id: str
    dialect: str
    without: tuple[str, ...] = ()
    links: str = ""  # none: the model's own

    @property
    def topic(self) -> tuple[str, str, tuple[str, ...]]:
        """What it tells, wherever it happens."""
        return self.model, self.property_id, self.without

    @property
    def name(self) -> str:
        """The name of a new file for it."""
        said = "-".join((self.model, self.dialect, self.property_id.replace(":", "-")))
        return f"{said}{''.join(f'-without-{rule}' for rule in self.without)}.json"


def wanted() -> Iterator[Kept]:
    """One story for each bug of the gallery and for each violation that a model expects.

    Those that only `strict` knows are no findings about servers.
    """
    for case in GALLERY:
        place = case.found[0]
        yield Kept(case.model, case.property_id, place.dialect, place.without, place.links)
    for model in MODELS.values():
        for each in model.expected:
            if each.dialects[0] != "strict" and ":" not in each.property_id:
                yield Kept(model.name, each.property_id, each.dialects[0])


def kept() -> dict[Path, Kept]:
    """What the files are about that are there."""
    return {path: _header(path) for path in sorted(STORIES.glob("*.json"))}


def missing() -> list[Kept]:
    """What is wanted and in no file."""
    there = {each.topic for each in kept().values()}
    return sorted({each for each in wanted() if each.topic not in there})


def told(what: Kept) -> str:
    """The shortest story about it, as the text of a file.

    Raises LookupError if the property is not violated any more.
    """
    model, rules = MODELS[what.model], DIALECTS[what.dialect]
    asked = tuple(each for each in model.properties if each.id == what.property_id)
    run = check(
        attrs.evolve(model, properties=asked),
        rules,
        parse_links(what.links) if what.links else model.usual_links(rules),
        without=what.without,
    )
    (result,) = run.found.properties
    if result.trace is None:
        raise LookupError(f"{what.property_id} of {what.model} is not violated any more")
    return as_story(run, result.id, result.trace)


def _header(path: Path) -> Kept:
    document = json.loads(path.read_text(encoding="utf-8"))
    return Kept(
        model=document["model"],
        property_id=document["property"],
        dialect=document["dialect"],
        without=tuple(document["without"]),
        links=document["links"],
    )


def main() -> None:
    """Every story is there, as the checker tells it now; those that changed are named."""
    for path, what in (kept() | {STORIES / each.name: each for each in missing()}).items():
        now = told(what)
        if not path.exists() or path.read_text(encoding="utf-8") != now:
            path.write_text(now, encoding="utf-8")
            print(f"told anew: {path.name}")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
