"""Options of a command line as fields of a class, so that what was asked for is one value.

An option is one field, with its help; a class of them is one section of ``--help``, under the first
line of its docstring. What does not go together is refused where the class is built:

    @attrs.frozen(kw_only=True)
    class Bounds:
        "How far it goes."

        states: int | None = option("--limit-states", type=int, help="Stop at that size.")


    @click.command(cls=SectionedCommand)
    @takes(bounds=Bounds)
    def command(bounds: Bounds) -> None: ...
"""

import functools
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

import attrs
import click
from typing_extensions import override

P = ParamSpec("P")
R = TypeVar("R")

_OPTION: Final = "option"
OTHERS: Final = "Others"
"""The section of the options that stand in no class."""


def option(*names: str, default: Any = None, **settings: Any) -> Any:  # noqa: ANN401 - as click has it
    """A field that is filled from the command line; the rest is for `click.option`."""
    return attrs.field(default=default, metadata={_OPTION: (names, settings)})


class _FieldOption(click.Option):
    """An option that knows its section."""

    def __init__(self, *args: Any, section: str, **settings: Any) -> None:  # noqa: ANN401 - as click has it
        super().__init__(*args, **settings)
        self.section = section


def takes(**groups: type[Any]) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """The decorated function gets, by each of these names, its class filled from the options."""

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(function)
        def filled(*args: Any, **values: Any) -> R:  # noqa: ANN401 - whatever click passes
            built = {
                key: group(**{name: values.pop(f"{key}_{name}") for name in _fields(group)})
                for key, group in groups.items()
            }
            return function(*args, **values, **built)

        # As with decorators, the last is the first to be applied.
        for key, group in reversed(groups.items()):
            for name, field in reversed(_fields(group).items()):
                names, settings = field.metadata[_OPTION]
                add = click.option(
                    *names,
                    f"{key}_{name}",
                    cls=_FieldOption,
                    section=_heading(group),
                    default=field.default,
                    **settings,
                )
                filled = add(filled)
        return filled

    return decorate


def _fields(group: type[Any]) -> "dict[str, attrs.Attribute[Any]]":
    return {field.name: field for field in attrs.fields(group)}


def _heading(group: type[Any]) -> str:
    return (group.__doc__ or OTHERS).splitlines()[0].rstrip(".")


class SectionedCommand(click.Command):
    """A command whose help has its options in sections."""

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = getattr(parameter, "section", OTHERS)
                sections.setdefault(section, []).append(record)
        for heading, records in sorted(sections.items(), key=lambda each: each[0] == OTHERS):
            with formatter.section(heading):
                formatter.write_dl(records)
