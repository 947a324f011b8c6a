"""The table in which a story is told on a terminal."""

from rich.markup import escape
from rich.table import Table

from model_check.story import Line


def story_table(lines: list[Line]) -> Table:
    """One row a step: its number, who, what happened, what changed in that node."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("step", justify="right")
    table.add_column("who")
    table.add_column("what happened", ratio=3)
    table.add_column("what changed there", ratio=2)
    for number, line in enumerate(lines, 1):
        table.add_row(str(number), line.who, escape(line.what), escape("\n".join(line.changes)))
    return table
