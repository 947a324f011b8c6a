"""The command `slotproof`; its subcommands are found by name and loaded when they are asked for."""

from importlib.metadata import EntryPoint, entry_points
from typing import Final

import click
from typing_extensions import override

_GROUP: Final = "slotproof.commands"


class _LazyGroup(click.Group):
    """Subcommands from the entry points of the installed distribution."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_found())

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = _found().get(cmd_name)
        if found is None:
            return None
        command = found.load()
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{found.value} is no command")
        return command


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_GROUP)}


@click.group(cls=_LazyGroup)
@click.version_option(package_name="slotproof", prog_name="slotproof")
def main() -> None:
    """A formally specified Redis Cluster: run it, and check it."""


if __name__ == "__main__":
    main(prog_name="slotproof")
