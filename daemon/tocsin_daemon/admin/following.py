"""What `tocsin events` and `tocsin log` have in common: the last lines, and then, if asked to, whatever is new."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import click

lines_option = click.option(
    "-n", "--lines", default=50, show_default=True, type=click.IntRange(0), help="Print at most so many first."
)


def go_on(print_new: Callable[[], None], every: float) -> None:
    """Print what is new each so many seconds, until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(every)
            print_new()
