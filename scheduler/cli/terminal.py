"""What the command line owes its user: errors in one line, and a progress bar where somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

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
def progress_bar(**look: Any) -> Iterator[Callable[..., None]]:
    """Give a `StudyProgress` that draws a bar on a terminal and nothing in a pipe; `look` is tqdm's."""
    from tqdm import tqdm

    with tqdm(leave=False, disable=None, **look) as bar:

        def show(what: str, done: int, total: int | None = None, note: str = "") -> None:
            bar.set_description_str(what, refresh=False)
            bar.set_postfix_str(note, refresh=False)
            bar.total = total
            bar.update(done - bar.n)

        yield show
