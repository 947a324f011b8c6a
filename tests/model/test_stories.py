"""Stories as things to look at and to replay: pictures, pages and scenario files.

Clauses: EL-P1, SC-P1, EP-P2.
"""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import pytest
from click.testing import CliRunner, Result
from typing_extensions import override

from model_check import replay as replaying
from model_check.__main__ import command as check_command
from model_check.diagram import diagram
from model_check.links import parse_links
from model_check.mermaid import mermaid
from model_check.models import MODELS
from model_check.page import page
from model_check.properties import LeadsTo
from model_check.reasons import clauses
from model_check.run import Run, check
from model_check.story_files import DamagedStoryError, as_story, form, read_story
from model_check.svg import svg
from model_check.trace import Trace
from reference.core.rules import DIALECTS
from reference.core.slots import SlotSet
from reference.core.types import Health
from tests.scenarios.keep_stories import missing, wanted

STORIES_FOLDER = Path(__file__).parents[1] / "scenarios" / "stories"
STORIES = sorted(STORIES_FOLDER.glob("*.json"))
LOST_VOTE = next(path for path in STORIES if path.stem == "two-replicas-valkey-9.1-EL-P1")
LATE_VOTES = next(path for path in STORIES if path.stem == "late-votes-valkey-9.1-EL-P1")
SVG = "{http://www.w3.org/2000/svg}"
TAKE_BACK = """\
---
title: "take-back · redis-7.0 · held(1)"
---
sequenceDiagram
    participant B
    participant C
    participant A
    B--)C: before: PONG: replica of A, currentEpoch 1 (delayed)
    B--)A: before: PONG: replica of A, currentEpoch 1 (delayed)
    A--)C: before: PONG: slots 0, configEpoch 1, currentEpoch 1 (delayed)
    C->>A: 1. PONG: slots 1, configEpoch 1, currentEpoch 1
    Note over A: moved to configEpoch 2: C has the same
    Note over B,A: SC-P1 is violated: no two masters claim a slot with the same configEpoch
"""


class Page(HTMLParser):
    """Counts what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.steps, self.states, self.outside = 0, 0, list[str]()
        self.feed(text)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.steps += tag == "tr" and given.get("class") == "step"
        self.states += tag == "section"
        self.outside += [
            str(value)
            for name, value in attrs
            if name in {"src", "href", "data", "action"} and not str(value).startswith("#")
        ]


def found(model: str, property_id: str, *without: str, links: str = "held(0)") -> tuple[Run, Trace]:
    run = check(
        MODELS[model],
        DIALECTS["valkey-9.1"],
        parse_links(links),
        without=without,
        states_after_violation=1_000_000,
    )
    trace = next(result.trace for result in run.found.properties if result.id == property_id)
    assert trace is not None
    return run, trace


@pytest.fixture(scope="module", name="lost_vote")
def _lost_vote() -> tuple[Run, Trace]:
    return found("two-replicas", "EL-P1", "persist_vote")


def replay(*arguments: object) -> Result:
    return CliRunner().invoke(replaying.command, [str(each) for each in arguments])


def changed(path: Path, **fields: Any) -> str:
    return json.dumps(json.loads(path.read_text(encoding="utf-8")) | fields)


def changed_step(path: Path, at: int, **fields: Any) -> str:
    document = json.loads(path.read_text(encoding="utf-8"))
    document["steps"][at - 1] |= fields
    return json.dumps(document)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story_of_a_finding_happens_as_told(path: Path) -> None:
    result = replay(path)

    assert (result.exit_code, "As told" in result.output) == (0, True), result.output


def test_a_story_is_kept_of_each_bug_of_the_gallery_and_of_each_known_violation() -> None:
    topics = {each.topic for each in wanted()}

    assert len(topics) > 20
    assert missing() == [], "python -m tests.scenarios.keep_stories"


def test_story_that_was_found_replays_to_the_very_same_trace(lost_vote: tuple[Run, Trace]) -> None:
    run, trace = lost_vote

    done = replaying.replay(read_story(as_story(run, "EL-P1", trace)))

    assert done.as_told
    assert done.trace == trace


@pytest.mark.parametrize("links", ["held(1)", "held(1,fifo)", "fifo(2)", "set"])
def test_stories_on_every_kind_of_links_replay(links: str) -> None:
    run, trace = found("take-back", "SC-P1:witness-lost", links=links)

    done = replaying.replay(read_story(as_story(run, "SC-P1:witness-lost", trace)))

    assert done.as_told
    assert done.trace == trace


def test_story_of_a_run_that_never_settles_says_how_it_goes_on() -> None:
    run = check(MODELS["dead-epoch"], DIALECTS["redis-7.0"], parse_links("held(0)"))
    trace = next(result.trace for result in run.found.properties if result.id == "EL-P2")
    assert trace is not None

    text = as_story(run, "EL-P2", trace)
    done = replaying.replay(read_story(text))

    assert trace.loop > 0
    assert (done.as_told, done.trace) == (True, trace)
    assert f"the last {trace.loop} steps may come again and again" in (
        " ".join(diagram(run, "EL-P2", trace).clauses)
    )


def test_story_of_what_never_comes_about_is_judged_as_a_whole() -> None:
    model = MODELS["dead-epoch"]
    story = read_story((STORIES_FOLDER / "dead-epoch-redis-7.0-EL-P2.json").read_text())
    never = LeadsTo[Any](id="EL-P2", project=lambda *_: None, then=lambda _: False)
    at_once = attrs.evolve(never, then=lambda _: True)

    judged = [
        replaying.replay(attrs.evolve(story, model=attrs.evolve(model, properties=(prop,))))
        for prop in (never, at_once, attrs.evolve(never, when=lambda _: False))
    ]

    assert [each.as_told for each in judged] == [True, False, False]


def test_diagram_has_a_row_for_each_step(lost_vote: tuple[Run, Trace]) -> None:
    run, trace = lost_vote

    drawn = diagram(run, "EL-P1", trace)

    assert [row.step for row in drawn.rows] == list(range(1, 17))
    tones = [(row.step, row.note.tone) for row in drawn.rows if row.note]
    assert [step for step, tone in tones if tone == "crash"] == [7, 9]
    assert [step for step, tone in tones if tone == "restart"] == [8, 10]
    assert [step for step, tone in tones if tone == "win"] == [6, 16]
    fates = [row.arrow.fate for row in drawn.rows if row.arrow]
    assert (fates.count("delivered"), fates.count("lost")) == (8, 2)


def test_mermaid_text_of_a_short_story(tmp_path: Path) -> None:
    arguments = ["take-back", "--dialect", "redis-7.0", "--first", "--story", str(tmp_path)]

    result = CliRunner().invoke(check_command, arguments)

    assert result.exit_code == 3  # the other properties were not decided
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"take-back-redis-7.0-SC-P1.{ending}" for ending in ("html", "json", "mmd", "svg")
    ]
    told = (tmp_path / "take-back-redis-7.0-SC-P1.mmd").read_text(encoding="utf-8")
    assert told == TAKE_BACK


def test_files_name_the_clause_the_steps_that_decide_and_the_rules_not_kept(
    lost_vote: tuple[Run, Trace],
) -> None:
    run, trace = lost_vote
    clause = clauses()["EL-P1"]

    drawn = diagram(run, "EL-P1", trace)
    filed = json.loads(as_story(run, "EL-P1", trace))
    shown = page(run, "EL-P1", trace, drawn)

    assert [row.step for row in drawn.rows if row.decisive] == [6, 16]
    assert [row.step for row in drawn.rows if row.flaws] == [2, 3, 12, 13]
    assert "EL-9 is not kept: Votes survive a crash" in mermaid(drawn)
    assert clause.title in " ".join(svg(drawn).split())
    assert (filed["clause_text"], filed["decided_in"]) == (clause.text, [6, 16])
    assert [each["clause"] for each in filed["not_kept"]] == ["EL-10", "EL-9"]
    for said in (clause.text, "step 12", "win_election_if_quorum", "Turned off"):
        assert said in shown


def test_witnesses_are_written_only_when_asked_for(tmp_path: Path) -> None:
    arguments = ["learnt-epoch", "--dialect", "redis-7.0", "--witnesses"]

    alone = CliRunner().invoke(check_command, arguments)
    CliRunner().invoke(check_command, [*arguments, "--story", str(tmp_path)])

    assert (alone.exit_code, "--witnesses needs --story" in alone.output) == (2, True)
    assert {path.name for path in tmp_path.glob("*.json")} == {
        "learnt-epoch-redis-7.0-EP-P2.json",
        "learnt-epoch-redis-7.0-EP-P1-witness.json",
    }
    witness = tmp_path / "learnt-epoch-redis-7.0-EP-P1-witness.json"
    assert replay(witness).exit_code == 0


def test_picture_has_a_lifeline_for_each_node_and_an_arrow_for_each_delivery(
    lost_vote: tuple[Run, Trace],
) -> None:
    run, trace = lost_vote

    picture = ET.fromstring(svg(diagram(run, "EL-P1", trace)))  # noqa: S314 - our own text

    lines = picture.findall(f".//{SVG}line")
    assert {line.get("data-process") for line in lines} - {None} == set("0123")
    delivered = [line for line in lines if line.get("data-fate") == "delivered"]
    assert len(delivered) == sum(step.kind == "deliver" for step in trace.steps)
    crosses = [each for each in picture.iter(f"{SVG}path") if each.get("class") == "cross"]
    assert len(crosses) == 2


def test_picture_shows_a_late_message_from_its_delay_to_its_delivery() -> None:
    done = replaying.replay(read_story(LATE_VOTES.read_text(encoding="utf-8")))
    run = check(MODELS["late-votes"], DIALECTS["valkey-9.1"], parse_links("held(0)"))

    drawn = diagram(run, "EL-P1", done.trace)

    arrows = [row.arrow for row in drawn.rows if row.arrow is not None]
    delayed = {arrow.number for arrow in arrows if arrow.fate == "delayed"}
    assert delayed == {arrow.number for arrow in arrows if arrow.fate == "late"}
    late = svg(drawn).count('data-fate="late"')
    assert late == sum(step.kind == "deliver_held" for step in done.trace.steps) == 2


def test_page_has_a_row_and_all_tables_for_each_step_and_refers_to_nothing_outside(
    lost_vote: tuple[Run, Trace],
) -> None:
    run, trace = lost_vote

    text = page(run, "EL-P1", trace, diagram(run, "EL-P1", trace))

    shown = Page(text)
    assert (shown.steps, shown.states, shown.outside) == (16, 17, [])
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in text
    assert "persist_vote" in text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (changed_step(LOST_VOTE, 2, what="sleeps"), "step 2: what: told 'sleeps', happens 'receiv"),
        (changed_step(LOST_VOTE, 3, changes=[]), "step 3: changes: told 'nothing', happens 'curr"),
        (
            changed_step(LOST_VOTE, 2, message=1, to="C"),
            "message 0 has to arrive, be lost or be held",
        ),
        (changed_step(LOST_VOTE, 2, message=99), "step 2 cannot be made any more: message 99 has"),
        (changed_step(LOST_VOTE, 2, to="C"), "message 0 is not from D to C"),
        (
            changed_step(LOST_VOTE, 1, event={"is": "ElectionExpired"}),
            "D can make no move {'is': 'ElectionExpired'} here",
        ),
        (changed(LOST_VOTE, without=[]), "not violated by this story"),
        (changed(LOST_VOTE, property="EP-P1"), "is violated, but otherwise"),
        (changed(LOST_VOTE, loop=2), "the last 2 steps do not lead back to where they begin"),
        (changed(LATE_VOTES, links="held(1)"), "cannot be made any more: held(1) holds no"),
    ],
)
def test_story_that_does_not_happen_so_any_more_exits_with_1(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "story.json"
    file.write_text(text)

    result = replay(file)

    assert result.exit_code == 1
    assert complaint in result.output


def test_changed_outcome_is_found_in_what_is_sent() -> None:
    text = changed_step(LOST_VOTE, 2, sends=["nothing at all to D"])

    done = replaying.replay(read_story(text))

    assert [each.split(":")[:2] for each in done.differences] == [["step 2", " sends"]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "this is not JSON"),
        ("[]", "expected an object with schema"),
        (changed(LOST_VOTE, schema=2), "schema 2: this release reads schema 1"),
        (changed(LOST_VOTE, model="x"), "model 'x' is none of claims"),
        (changed(LOST_VOTE, dialect="redis-2.0"), "dialect 'redis-2.0' is none of"),
        (changed(LOST_VOTE, without=["gravity"]), "no rule is called 'gravity'"),
        (changed(LOST_VOTE, without=[1]), "without: expected a list of texts"),
        (changed(LOST_VOTE, links="held(x)"), "held needs a whole number"),
        (changed(LOST_VOTE, property="XX-P1"), "property 'XX-P1' of two-replicas is none of EL-P1"),
        (changed(LOST_VOTE, verdict="holds"), "verdict 'holds': a story of EL-P1 says 'violated'"),
        (changed(LOST_VOTE, steps="none"), "steps: expected a list, not 'none'"),
        (changed(LOST_VOTE, steps=[1]), "step 1: expected an object"),
        (changed(LOST_VOTE, loop=17), "loop: there are no 17 steps to repeat"),
        (changed_step(LOST_VOTE, 2, kind="sing"), "step 2: kind 'sing' is none of move, deliver"),
        (changed_step(LOST_VOTE, 2, who="Z"), "step 2: who 'Z' is none of B, C, D, E"),
        (changed_step(LOST_VOTE, 2, message="first"), "step 2: message: expected a number"),
        (changed_step(LOST_VOTE, 1, event=None), "step 1: event: expected an object"),
        ('{"schema": 1}', "model is missing"),
    ],
)
def test_damaged_file_exits_with_2_and_says_what_is_wrong(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "story.json"
    file.write_text(text)

    result = replay(file)

    assert result.exit_code == 2
    assert complaint in result.output


def test_exit_code_is_2_without_a_file_and_4_if_the_command_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(file: Path) -> int:
        raise RuntimeError(str(file))

    assert replay("no-such-file.json").exit_code == 2
    monkeypatch.setattr(replaying, "obey", broken)
    assert replay(LOST_VOTE).exit_code == 4


def test_values_have_a_stable_form() -> None:
    assert form((1, None, SlotSet.of([1, 2]), Health.FAIL)) == [1, None, "1-2", "FAIL"]
    assert form(frozenset({"b", "a"})) == ["a", "b"]
    with pytest.raises(TypeError, match="has no form"):
        form(object())
    with pytest.raises(DamagedStoryError):
        read_story("")
