"""Where each property of chapter 20 is claimed, and in which dialects it holds: spec/claims.md.

All of it is what the models themselves say; a run of them shows whether it is so.
"""

import re
from collections.abc import Iterator
from typing import Final

from model_check.models import MODELS
from model_check.models.model import EVERYWHERE, Model
from model_check.properties import Property
from reference.core.rules import DIALECTS

_HEAD: Final = """\
# Where each property holds

For each property of [chapter 20](20-properties.md), and SM-P1 of
[chapter 15](15-slot-migration.md), the models that claim it: the scope, the links, the dialects in
which it holds, and those in which it is known not to, with the finding
([chapter 21](21-findings.md)) or report that tells why. Generated from the models by
`python -m tests.traceability --write`; `slotproof check MODEL` shows that it is so, and fails if a
property holds that is said not to. Other links, in dialects with more states, stand in brackets.
"""

_PROPERTY: Final = re.compile(r"[A-Z]{2}-P\d+")


def claimed() -> dict[str, list[tuple[Model, Property]]]:
    """The models that claim each property, by its id; witnesses and rules are left out."""
    found: dict[str, list[tuple[Model, Property]]] = {}
    for model in MODELS.values():
        for prop in model.properties:
            if _PROPERTY.fullmatch(prop.id) and prop.kind != "sometimes":
                found.setdefault(prop.id, []).append((model, prop))
    return dict(sorted(found.items()))


def table() -> str:
    """What spec/claims.md must contain."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for name, where in claimed().items():
        texts = dict.fromkeys(prop.text for _, prop in where)
        yield f"## {name}\n\n{'; '.join(texts)}.\n"
        yield "| model | scope | links | holds in | not in |\n|-|-|-|-|-|"
        for model, prop in where:
            bounds = f"{model.text} | {_links(model)}"
            yield f"| `{model.name}` | {bounds} | {_verdicts(model, prop.id)} |"
        yield ""


def _links(model: Model) -> str:
    others: dict[str, list[str]] = {}
    for dialect in model.dialects:
        links = str(model.usual_links(DIALECTS[dialect]))
        if links != model.links:
            others.setdefault(links, []).append(dialect)
    told = "".join(f" (`{links}` in {', '.join(names)})" for links, names in others.items())
    return f"`{model.links}`{told}"


def _verdicts(model: Model, name: str) -> str:
    known = {d: model.expects(name, DIALECTS[d]) for d in model.dialects}
    holds = [dialect for dialect, expected in known.items() if expected is None]
    fails: dict[str, list[str]] = {}
    for dialect, expected in known.items():
        if expected is not None:
            fails.setdefault(expected.told, []).append(dialect)
    told = "; ".join(f"{_dialects(names)}: {why}" for why, names in fails.items())
    return f"{_dialects(holds) or 'none'} | {told or '-'}"


def _dialects(names: list[str]) -> str:
    return "all" if tuple(names) == EVERYWHERE else ", ".join(names)
