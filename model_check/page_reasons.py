"""The reasons of a story as HTML."""

from collections.abc import Iterable, Iterator
from html import escape

from model_check.applied import Rule
from model_check.reasons import Reasons, words
from reference.spec.chapters import Clause


def reasons_html(why: Reasons) -> Iterator[str]:
    """A paragraph for each clause that is broken, not kept, turned off or known to allow it."""
    for clause in why.clauses:
        yield f"<p>{_clause(clause)}</p>"
    for ending in why.endings:
        yield f"<p>{escape(ending[0].upper() + ending[1:])}.</p>"
    if why.decisive:
        steps = "".join(
            f"<li>{_step(each.step)} <b>{escape(each.who)}</b> {escape(each.what)}"
            f"{_places(each.rules)}</li>"
            for each in why.decisive
        )
        together = " together" if len(why.decisive) > 1 else ""
        yield f"<h3>Decided{together} by</h3><ul>{steps}</ul>"
    for breach in why.not_kept:
        again = "".join(f", {_step(step)}" for step in breach.again)
        yield (
            f'<h3 class="bad">Not kept in {_step(breach.step)}{again}</h3>'
            f"<p>{_clause(breach.clause)}</p>"
            f"<p><b>{escape(breach.who)}</b> {escape(breach.what)}{_places(breach.rules)}</p>"
        )
    for heading, clauses in (
        ("Turned off", why.turned_off),
        ("Known to let it happen", why.allowed_by),
    ):
        for clause in clauses:
            yield f"<h3>{heading}</h3><p>{_clause(clause)}</p>"


def _clause(clause: Clause) -> str:
    place = f"spec/{clause.chapter}:{clause.line}"
    title = f"{clause.clause_id} {clause.title}"
    return (
        f"<b>{escape(title)}</b>: {_with_code(words(clause))} "
        f'<span class="place">{escape(place)}</span>'
    )


def _with_code(text: str) -> str:
    """The text with what stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return "".join(f"<code>{escape(part)}</code>" if at % 2 else escape(part) for at, part in parts)


def _step(number: int) -> str:
    return f'<a href="#after-{number}">step {number}</a>'


def _places(rules: Iterable[Rule]) -> str:
    return "".join(
        f'<br><code>{escape(rule.name)}</code> <span class="place">{escape(rule.place)} '
        f"({escape(', '.join(rule.clauses))})</span>"
        for rule in rules
    )
