"""A story as one HTML page: the picture, the steps, and every node's table at each step."""

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import Template

from model_check.diagram import Diagram
from model_check.models.cluster import Process
from model_check.page_reasons import reasons_html
from model_check.reasons import reasons
from model_check.run import Run
from model_check.story import tell
from model_check.svg import svg
from model_check.trace import Trace
from reference.core.nodes import ClusterNode
from reference.core.state import ClusterState
from reference.core.types import Health

_COLUMNS = ("node", "role", "configEpoch", "slots", "health", "reports")


def page(run: Run, property_id: str, trace: Trace, drawn: Diagram) -> str:
    """The page as a document that needs nothing else, readable without scripts too."""
    template = Template(files("model_check").joinpath("page.html").read_text(encoding="utf-8"))
    prop = run.property_of(property_id)
    verdict = "is violated" if drawn.violated else "is reached"
    return template.substitute(
        title=escape(f"{property_id} {verdict} in {run.model.name}, {run.rules.dialect}"),
        heading=escape(f"{property_id} {verdict}: {prop.text}"),
        tone="bad" if drawn.violated else "good",
        facts="\n".join(
            f"<dt>{name}</dt><dd>{escape(text)}</dd>"
            for name, text in (
                ("model", f"{run.model.name}: {run.model.text}"),
                ("dialect", run.rules.dialect),
                ("rules turned off", ", ".join(run.without) or "none"),
                ("links", run.found.links),
                ("scope", run.scope.describe()),
            )
        ),
        reasons="\n".join(reasons_html(reasons(run, [property_id], trace))),
        picture=svg(drawn),
        last=len(trace.steps),
        rows="\n".join(_rows(trace, drawn, run.system.processes)),
        states="\n".join(_states(trace, run.system.processes)),
    )


def _rows(trace: Trace, drawn: Diagram, names: tuple[str, ...]) -> Iterator[str]:
    rows = {row.step: row for row in drawn.rows if row.step}
    for at, line in enumerate(tell(trace, names), 1):
        changes = "<br>".join(map(escape, line.changes))
        flaws = "".join(f'<br><b class="bad">{escape(flaw)}</b>' for flaw in rows[at].flaws)
        number = "n decisive" if rows[at].decisive else "n"
        yield (
            f'<tr class="step" data-step="{at}"><td class="{number}"><a href="#after-{at}">{at}</a>'
            f"</td><td>{escape(line.who)}</td><td>{escape(line.what)}{flaws}</td>"
            f"<td>{changes}</td></tr>"
        )


def _states(trace: Trace, names: tuple[str, ...]) -> Iterator[str]:
    """For each step the tables of all nodes after it; what the step changed is marked."""
    states = before = list(trace.initial)
    for at in range(len(trace.steps) + 1):
        if at:
            before, states = states, list(states)
            states[trace.steps[at - 1].process] = trace.steps[at - 1].after
        when = f"After step {at}" if at else "At the start"
        yield f'<section class="state" id="after-{at}" data-step="{at}"><h3>{when}</h3>'
        yield '<div class="nodes">'
        for name, old, new in zip(names, before, states, strict=True):
            yield _node(name, old, new)
        yield "</div></section>"


def _node(name: str, old: object, new: object) -> str:
    if not (isinstance(old, Process) and isinstance(new, Process)):
        return ""
    shown, earlier = new.state or new.saved, old.state or old.saved
    down = "" if new.state else ' <b class="down">down</b>; this is what it has saved'
    if shown is None:
        return f"<article><h4>{escape(name)}{down}</h4></article>"
    facts = " · ".join(
        _marked(text, text not in _facts(earlier or shown, old)) for text in _facts(shown, new)
    )
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    rows = "".join(_entry(node, (earlier or shown).nodes.get(node.node_id)) for node in shown.nodes)
    return (
        f"<article><h4>{escape(name)}{down}</h4><p>{facts}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></article>"
    )


def _facts(state: ClusterState, process: Process) -> list[str]:
    facts = [f"current_epoch {state.current_epoch}", f"last_vote_epoch {state.last_vote_epoch}"]
    if state.election is not None:
        voters = " ".join(sorted(state.election.voters)) or "nobody"
        facts.append(f"election of epoch {state.election.failover_auth_epoch}, votes of {voters}")
    facts += [
        f"late votes {election.late_votes}"
        for election in (state.election, state.last_election)
        if election is not None and election.late_votes
    ]
    if state.owner_not_claiming_slot:
        facts.append(f"slots not claimed by their owner {state.owner_not_claiming_slot}")
    if process.epochs_won:
        facts.append(f"won epoch {' '.join(map(str, sorted(process.epochs_won)))}")
    return facts


def _entry(node: ClusterNode, old: ClusterNode | None) -> str:
    was = _cells(old) if old is not None else _cells(node)
    cells = zip(_cells(node), was, strict=True)
    return f"<tr>{''.join(f'<td>{_marked(new, new != before)}</td>' for new, before in cells)}</tr>"


def _cells(node: ClusterNode) -> tuple[str, ...]:
    return (
        str(node.node_id),
        f"replica of {node.replicaof}" if node.replicaof else node.role.value,
        str(node.config_epoch),
        str(node.slots) or "none",
        "well" if node.health is Health.OK else node.health.name,
        " ".join(sorted(node.fail_reports)) or "-",
    )


def _marked(text: str, changed: bool) -> str:  # noqa: FBT001 - told by a comparison
    return f"<mark>{escape(text)}</mark>" if changed else escape(text)
