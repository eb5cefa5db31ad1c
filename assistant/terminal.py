"""What the commands share: the two screens, a progress bar, reading a date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from rich.console import Console

from assistant.errors import InputFileError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def as_day(text: str | None, option: str) -> date | None:
    """The date that was given with an option.

    Raises:
        InputFileError: it is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputFileError(f"{option} 的日期“{text}”读不懂，请写成 2026-03-01 这样。") from error


@contextmanager
def progress(total: int, label: str) -> Iterator[Any]:
    """A progress bar on the terminal for long work; yields a function that moves it on by n."""
    from rich.progress import Progress

    with Progress(console=err, disable=not err.is_terminal, transient=True) as bar:
        if not err.is_terminal:
            err.print(f"{label}……", markup=False)
        task = bar.add_task(label, total=total)
        yield lambda n: bar.advance(task, n)
