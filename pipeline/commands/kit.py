"""What commands share: groups, their settings, how they print, and the options that choose documents.

Here and in each file of commands, only what `sitetwin --help` needs is imported at the top. A command imports the rooms
that it uses when it runs.
"""

import functools
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from pydantic import BaseModel
from pydantic_core import to_json

from pipeline.errors import SitetwinError
from pipeline.parts import Parts
from pipeline.settings import Visibility
from pipeline.surroundings import keep_private

if TYPE_CHECKING:
    from datetime import date

    from click.shell_completion import CompletionItem


class Commands(click.Group):
    """A group of commands, each loaded when it is asked for. An error meant for people becomes one line and status 1.

    Args:
        parts: the commands that are not added to the group directly, in the order of the help.
    """

    def __init__(self, *args: Any, parts: Parts, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parts = parts

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of the help."""
        return [*super().list_commands(ctx), *self._parts.kinds()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command `cmd_name`; None if there is none."""
        if command := super().get_command(ctx, cmd_name):
            return command
        return self._parts.load(cmd_name) if cmd_name in self._parts.kinds() else None

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command, and prints a `SitetwinError` as one line."""
        try:
            return super().invoke(ctx)
        except SitetwinError as error:
            click.echo(f"sitetwin: {error}", err=True)
            ctx.exit(1)


def with_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Passes the settings to a command as its first argument. They are read only when the command runs."""

    @click.pass_context
    def wrapped(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        settings = ctx.find_root().obj()
        if open_to_others := keep_private(settings.state):
            click.echo(
                f"sitetwin: other accounts of this machine may read {open_to_others[0]}: give it to yourself with chown, "
                "or move the site to a disk that keeps file modes",
                err=True,
            )
        return ctx.invoke(function, settings, *args, **kwargs)

    return functools.update_wrapper(wrapped, function)


as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")


def print_json(document: BaseModel | dict[str, Any]) -> None:
    """Prints one JSON document on stdout."""
    if isinstance(document, BaseModel):
        click.echo(document.model_dump_json(indent=2))
    else:
        click.echo(to_json(document, indent=2, inf_nan_mode="null"))  # JSON has no NaN


@contextmanager
def until_interrupted(
    said: str = "stopping after this step; a second Ctrl-C ends at once",
) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets, so that what is under way ends well. A second one ends at once.

    Args:
        said: what is said then.
    """
    stop = threading.Event()

    def interrupted(number: int, _: object) -> None:
        click.echo(said, err=True)
        stop.set()
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    old = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


class Day(click.ParamType["date"]):
    """The type of an option that takes a day."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The day in `value`; an error of usage if there is none."""
        from pipeline.index.filters import parse_day

        try:
            return parse_day(value)
        except SitetwinError as error:
            self.fail(str(error), param, ctx)


class PartName(click.ParamType["str"]):
    """The name of a part of a table. The table is read only when the command runs, or its help is shown."""

    name = "part"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """The parts' names, as the help shows them."""
        return f"[{'|'.join(self._parts.choices())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """`value` itself; an error of usage if there is no such part."""
        try:
            return self._parts.known(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The parts whose names begin with `incomplete`."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in self._parts.choices() if name.startswith(incomplete)]


def with_scope(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that choose documents, and passes them to a command as `visibility` and `filters`."""

    @click.option("--folder", default="", help="Only documents below this folder, e.g. docs or blog/2019.")
    @click.option("--tag", "tags", multiple=True, help="Only documents with this tag; given twice, with both.")
    @click.option("--after", type=Day(), help="Only documents of this day and later ones.")
    @click.option("--before", type=Day(), help="Only documents of this day and earlier ones.")
    @click.option("--public", is_flag=True, help="The same as --visibility public: only what visitors may see.")
    @click.option("--visibility", type=click.Choice(["public", "private"]), help="Without it: both.")
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        folder: str,
        tags: tuple[str, ...],
        after: "date | None",
        before: "date | None",
        public: bool,
        visibility: Visibility | None,
        **kwargs: Any,
    ) -> Any:
        from pipeline.index.filters import Filters

        if public and visibility == "private":
            raise click.UsageError("--public and --visibility private exclude each other: give one of them")
        filters = Filters(folder, tags, after, before)
        return function(*args, visibility="public" if public else visibility, filters=filters, **kwargs)

    return wrapped
