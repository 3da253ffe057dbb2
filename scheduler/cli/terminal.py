"""What the command line owes its user: errors in one line, and a progress bar where somebody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from traces.trace import Trace

_OURS = ("scheduler", "workloads", "traces")


class PlainErrors(click.Group):
    """Ends with one line and an exit code: 2 for bad input, 1 for a failure, 130 for Ctrl-C."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            click.echo("exaburst: interrupted", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            raise  # whoever read the output has seen enough: click ends without a word
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            click.echo(f"exaburst: {name}{(error.strerror or str(error)).lower()}", err=True)
            ctx.exit(1)
        except ValueError as error:
            if type(error).__module__.partition(".")[0] not in _OURS:
                raise
            click.echo(f"exaburst: {error}", err=True)
            ctx.exit(2)


@contextmanager
def progress_bar(name: str, trace: Trace) -> Iterator[Callable[[int, int], None] | None]:
    """Show the simulated date and the speed on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from datetime import timedelta

    from tqdm import tqdm

    with tqdm(total=len(trace), unit="job", unit_scale=True, desc=name, leave=False) as bar:

        def show(jobs: int, second: int) -> None:
            bar.set_postfix_str(f"{trace.epoch + timedelta(seconds=second):%Y-%m-%d %H:%M}", refresh=False)
            bar.update(jobs - bar.n)

        yield show
