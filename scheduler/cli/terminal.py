"""What the command line owes its user: errors in one line, and a progress bar where somebody looks."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from time import monotonic
from typing import Any

import click

_OURS = ("scheduler", "workloads", "traces")
DEBUG = "EXABURST_DEBUG"
"""The environment variable that lets every error show its traceback."""


class PlainErrors(click.Group):
    """Ends with one line and an exit code: 2 for bad input, 1 for a failure, 128 and more for a signal."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # names of files are not always text
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup would have it ignored
                signal.signal(number, _end)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read the output has seen enough: click ends without a word
        except click.exceptions.Exit:
            raise
        except BaseException as error:
            if DEBUG in os.environ:
                raise
            code, line = _told(error)
            click.echo(f"exaburst: {_one_line(line)}", err=True)
            ctx.exit(code)


class Listing(click.Group):
    """A group that lists its commands with their whole first sentence, not what fits a line of it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(200)) for name, each in self.commands.items()])


class ArrowCommand(click.Command):
    """A command that works with Arrow's tables."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        from traces.arrow_start import start_arrow_without_pandas

        start_arrow_without_pandas()
        return super().invoke(ctx)


class ExtraError(ValueError):
    """An extra that is needed and not installed."""


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Say which extra to install where an import finds no module; raises ExtraError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraError(f'{error.name} is not installed: pip install "exaburst[{extra}]"') from None


class _Ended(KeyboardInterrupt):
    """A signal asked the program to end; it does as after Ctrl-C."""


def _end(number: int, _frame: object) -> None:
    raise _Ended(number)


def _told(error: BaseException) -> tuple[int, str]:
    """Return the exit code that an error ends with, and the line that is said of it."""
    from traces.errors import short_of_memory

    if isinstance(error, KeyboardInterrupt | click.Abort):
        number = error.args[0] if isinstance(error, _Ended) else signal.SIGINT
        return 128 + int(number), "interrupted"
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "exaburst"
        return 2, f"{error.format_message()} See `{command} --help`."
    if short_of_memory(error):
        return 1, "out of memory"
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return 1, f"{name}{(error.strerror or str(error)).lower()}"
    if type(error).__module__.partition(".")[0] in _OURS and isinstance(error, ValueError | RuntimeError):
        return 2 if isinstance(error, ValueError) else 1, str(error)
    name = type(error).__name__
    return 1, f"an error of its own, {name}: {error}; {DEBUG}=1 shows where"


def _one_line(text: str) -> str:
    """Escape what would break the line, or the terminal; a name can hold anything."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text.strip()
    )


def tell(lines: Iterable[str]) -> None:
    """Say what is worth a word beside the output, a line each."""
    for line in lines:
        click.echo(f"exaburst: {line}", err=True)


def warn(lines: Iterable[str]) -> None:
    """Say what is allowed but hardly meant, a line each."""
    tell(f"warning: {line}" for line in lines)


class Heartbeat:
    """Says every `EVERY_S` how far a long piece of work is, and when it will be done at this pace."""

    EVERY_S = 30.0

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began_s = self._said_s = clock()
        self._first: int | None = None

    def __call__(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Take note of what is done of how much; `note` is the date, say, that a run has come to."""
        now_s = self._clock()
        if self._first is None:
            self._first = done
        if now_s - self._said_s < self.EVERY_S:
            return
        self._said_s = now_s
        of = f"{done:,}" if total is None else f"{done:,} of {total:,} ({done / max(1, total):.0%})"
        left = self._left(now_s, done, total)
        tell([", ".join(part for part in (f"{what}: {of}", note, left) if part)])

    def _left(self, now_s: float, done: int, total: int | None) -> str:
        made = done - (self._first or 0)
        if total is None or made <= 0:
            return ""
        minutes = (now_s - self._began_s) / made * (total - done) / 60
        return f"{minutes:.0f} min left" if minutes >= 2 else f"{60 * minutes:.0f} s left"


@contextmanager
def progress_bar(**look: Any) -> Iterator[Callable[..., None]]:
    """Give a `StudyProgress` that draws a bar on a terminal; elsewhere it says a line every half minute.

    `look` is tqdm's.
    """
    if not sys.stderr.isatty():
        yield Heartbeat()
        return
    from tqdm import tqdm

    with tqdm(leave=False, **look) as bar:

        def show(what: str, done: int, total: int | None = None, note: str = "") -> None:
            bar.set_description_str(what, refresh=False)
            bar.set_postfix_str(note, refresh=False)
            bar.total = total
            bar.update(done - bar.n)

        yield show
