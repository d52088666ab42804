"""Groups of commands that are imported when they are called: a command need not wait for what others need."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class Commands(Mapping[str, TyperCommand | TyperGroup]):
    """Commands by name, each out of its home `module:function`, or `module:app` for a group."""

    def __init__(self, homes: dict[str, str]) -> None:
        self.homes = homes

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        module, _, attribute = self.homes[name].partition(":")
        command = _built(getattr(import_module(module), attribute))
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self.homes)

    def __len__(self) -> int:
        return len(self.homes)


def _built(home: typer.Typer | Callable[..., Any]) -> TyperCommand | TyperGroup:
    app = home
    if not isinstance(app, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command()(home)
    command = typer.main.get_command(app)
    assert isinstance(command, TyperCommand | TyperGroup)
    return command


def lazy_group(homes: dict[str, str]) -> type[TyperGroup]:
    """The class (`cls=`) of a group of these commands: name, of one word or two, to home."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**{**attributes, "commands": Commands(homes)})

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            """`convert worker` and its like come before `convert`: a file of that name is `./worker`."""
            two = " ".join(args[:2])
            return (two, self.commands[two], args[2:]) if two in homes else super().resolve_command(ctx, args)

    return Group
