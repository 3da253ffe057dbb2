"""Options that several commands have, each declared once, and what reads the values of options."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, wraps
from math import isnan
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from traces.times import UNITS_S, DurationError, parse_seconds
from traces.words import BY

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)

# Each is called with the help, which says what the option is for in that command.
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead; docs/json.md lists its keys."
)


def _lay_over(ctx: click.Context, _param: click.Parameter, files: tuple[Path, ...]) -> None:
    """Lay the user's own files over the catalog for as long as the command runs; raises CatalogError.

    They are read now: a command that may answer without the catalog would not notice what is wrong with them.
    """
    if files:
        from scheduler.catalog.reading import LAID_OVER, load_catalog, own_files

        before = os.environ.get(LAID_OVER)
        laid = [file.absolute() for file in (*own_files(), *files)]
        load_catalog(*laid)
        os.environ[LAID_OVER] = os.pathsep.join(map(str, laid))
        ctx.call_on_close(partial(_put_back, before))


def _put_back(before: str | None) -> None:
    from scheduler.catalog.reading import LAID_OVER

    os.environ.pop(LAID_OVER, None)
    if before is not None:
        os.environ[LAID_OVER] = before


catalog = click.option(
    "--catalog",
    type=FILE,
    multiple=True,
    expose_value=False,
    callback=_lay_over,
    help="Lay your own prices, devices and pods (TOML) over the catalog; repeat.",
)
by = partial(click.option, "--by", type=click.Choice(BY))
baseline = partial(click.option, "--baseline")
keep = partial(click.option, "--keep", is_flag=True)
out = partial(click.option, "-o", "--out", type=FILE)
overrides = partial(click.option, "--set", "overrides", multiple=True, metavar="KEY=VALUE")
seeds = partial(click.option, "--seeds")
trace = partial(click.option, "--trace", type=FILE)
dask = click.option(
    "--dask", "address", metavar="ADDRESS", help="Compute on this Dask cluster, as tcp://host:8786."
)
workers = partial(click.option, "--workers", type=click.IntRange(1, 1024))


class Portion(click.FloatRange):
    """A number within bounds, which NaN is not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it."""
        share = super().convert(value, param, ctx)
        if isnan(share):
            self.fail(f"{value} is not a number.", param, ctx)
        return share


stranded = click.option(
    "--stranded",
    type=Portion(0, 1),
    default=0.01,
    show_default=True,
    help="Largest share of the compute asked for that may be left without a start.",
)


def part(command: Command) -> Command:
    """Let a command keep a part of the jobs only; it gets a `TimeRange`."""

    @wraps(command)
    def with_part(*given: Any, since: str | None, until: str | None, **asked: Any) -> Any:
        from traces.submissions import TimeRange

        return command(*given, part=TimeRange(since, until), **asked)

    until = click.option("--to", "until", metavar="WHEN", help="Keep jobs submitted before this moment.")
    since = click.option(
        "--from",
        "since",
        metavar="WHEN",
        help="Keep jobs submitted from this moment on: a date, or a time from the epoch, as 7d.",
    )
    return since(until(cast(Command, with_part)))


def draws(command: Command) -> Command:
    """Let a command draw replications from a log; it gets those fields of a `LogWish` that are given."""

    @wraps(command)
    def with_draws(
        *given: Any, block: str | None, scale: float | None, growth: float | None, **asked: Any
    ) -> Any:
        said = {"block": block, "scale": scale, "growth": growth}
        return command(*given, draws={name: of for name, of in said.items() if of is not None}, **asked)

    factor = Portion(0, 1_000, min_open=True)
    block = click.option(
        "--block",
        type=click.Choice(["week", "day"]),
        help="Of the log, drawn with replacement.  [default: week]",
    )
    scale = click.option("--scale", type=factor, help="So many times the log's jobs.  [default: 1]")
    growth = click.option("--growth", type=factor, help="So many times as many jobs a year on.  [default: 1]")
    return block(scale(growth(cast(Command, with_draws))))


def warm(command: Command) -> Command:
    """Let a command begin with jobs that run and wait; it gets a `WarmStart`."""

    @wraps(command)
    def with_warm(*given: Any, warm_at: str | None, warm_from: Path | None, **asked: Any) -> Any:
        from scheduler.cli.preparation import WarmStart

        return command(*given, warm=WarmStart(warm_at, warm_from), **asked)

    at = click.option(
        "--warm-at", metavar="WHEN", help="Begin then, with the jobs that ran and waited by the record."
    )
    run = click.option("--warm-from", type=FILE, help="Begin as this run stood at --warm-at, or at its end.")
    return at(run(cast(Command, with_warm)))


def share(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    """Read a percentage as a share."""
    if text is None:
        return None
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share < 10 or not text.endswith("%"):
        raise click.BadParameter(f'"{text}": must be a percentage above 0, as in 5%')
    return share


def duration(_ctx: click.Context, _param: click.Parameter, text: str | None) -> int | None:
    """Read a time as whole seconds."""
    if text is None:
        return None
    with suppress(DurationError):
        if text[-1:] in UNITS_S:
            return round(parse_seconds(text))
    raise click.BadParameter(f'"{text}": must be 0 or more, with s, m, h, d or y')


def among(known: Sequence[str]) -> Callable[[Any, click.Parameter, str | None], tuple[str, ...]]:
    """Return what reads words with commas, each one of those known, and none twice."""

    def read(_ctx: Any, _param: click.Parameter, text: str | None) -> tuple[str, ...]:
        words = tuple(word.strip() for word in text.split(",")) if text else ()
        for word in words:
            if word not in known or words.count(word) > 1:
                raise click.BadParameter(f'"{word}": must be one of {", ".join(known)}, each once')
        return words

    return read


def numbers(
    _ctx: click.Context, param: click.Parameter, given: str | tuple[str, ...] | None
) -> dict[str, float] | None:
    """Read NAME=NUMBER, NAME=NUMBER ..., of one option with commas or of several."""
    if given is None or given == ():
        return None
    values = {}
    for pair in given.split(",") if isinstance(given, str) else given:
        name, _, text = pair.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            raise click.BadParameter(f'"{pair}": must be NAME=NUMBER', param_hint=param.opts[0]) from None
    return values
