"""A diagram as the text of a Mermaid sequence diagram."""

import json
from typing import Final

from model_check.diagram import Arrow, Diagram, Fate, Note

_ARROWS: Final[dict[Fate, str]] = {
    "delivered": "->>",
    "lost": "-x",
    "delayed": "--)",
    "late": "-->>",
}
_WORDS: Final[dict[Fate, str]] = {
    "delivered": "",
    "lost": " (lost)",
    "delayed": " (delayed)",
    "late": " (late)",
}


def mermaid(diagram: Diagram) -> str:
    """The diagram in Mermaid's words; the steps have their numbers."""
    names = diagram.processes
    lines = ["---", f"title: {json.dumps(diagram.title, ensure_ascii=False)}", "---"]
    lines.append("sequenceDiagram")
    lines += [f"    participant {name}" for name in names]
    for row in diagram.rows:
        number = f"{row.step}. " if row.step else "before: "
        if row.arrow is not None:
            lines.append(f"    {_arrow(row.arrow, names, number)}")
            number = ""
        if row.note is not None:
            lines.append(f"    {_note(row.note, names, number)}")
        if row.flaws:
            told = "<br/>".join(map(_escaped, row.flaws))
            lines.append(f"    Note over {names[row.process]}: {told}")
    lines.append(f"    Note over {names[0]},{names[-1]}: {_escaped(diagram.ending)}")
    return "\n".join(lines) + "\n"


def _arrow(arrow: Arrow, names: tuple[str, ...], number: str) -> str:
    ends = f"{names[arrow.sender]}{_ARROWS[arrow.fate]}{names[arrow.receiver]}"
    return f"{ends}: {number}{_escaped(arrow.text)}{_WORDS[arrow.fate]}"


def _note(note: Note, names: tuple[str, ...], number: str) -> str:
    return f"Note over {names[note.process]}: {number}{'<br/>'.join(map(_escaped, note.lines))}"


def _escaped(text: str) -> str:
    """The text without what Mermaid takes for the end of a statement or for a character code."""
    return text.replace("#", "#35;").replace(";", "#59;").replace("#35#59;", "#35;")
