"""What the commands share: the two screens, a progress bar, reading a date and a file of rows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
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


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """What the lines of a file hold, with their numbers counted from 1; empty lines are passed over.

    Raises:
        InputFileError: the file cannot be read, or a line is not JSON.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{path.name} 不是 UTF-8 编码，请另存为 UTF-8 后再试。") from error
    except OSError as error:
        raise InputFileError(f"读不了文件 {path}（{error.strerror}），请检查路径。") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as error:
            raise InputFileError(f"{path.name} 第{number}行不是完整的 JSON，请改正这一行。") from error


def write_file(target: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputFileError: it cannot be written there.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, target)
    except OSError as error:
        raise InputFileError(f"写不了文件 {target}（{error.strerror}），请换一个能写的位置。") from error
