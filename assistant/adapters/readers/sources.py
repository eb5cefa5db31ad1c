"""The files behind the paths that a person names, one after the other, in a stable order.

Comes in: paths of files, folders and ZIP archives. Goes out: a :class:`Source` for each document, its bytes read
only when it is asked for, and a :class:`DocumentError` for what cannot be taken; neither ends the walk.

Links inside a folder are not followed, special files are not opened, nothing is written anywhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from assistant.adapters.readers import archive
from assistant.adapters.readers.names import KNOWN_SUFFIXES, is_silent, printable, skipped, suffix_of
from assistant.adapters.readers.values import Limits, Source, megabytes
from assistant.errors import DocumentError


def sources(paths: Sequence[Path], limits: Limits) -> Iterator[Source | DocumentError]:
    """What is behind ``paths``, folders and archives opened."""
    for path in paths:
        name = printable(path.name or str(path))
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except OSError as error:
            yield DocumentError(f"{name}：{_why(error)}")
            continue
        if is_folder:
            yield from _folder(path, name, limits)
        else:
            yield from _file(path, name, limits)


def _folder(top: Path, top_name: str, limits: Limits) -> Iterator[Source | DocumentError]:
    found = False  # anything that gets a word of its own
    unknown: list[str] = []
    outside = os.path.realpath(top)
    waiting = [(top, top_name, 1)]
    while waiting:
        folder, folder_name, depth = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            found = True
            yield DocumentError(f"{folder_name}：{_why(error)}")
            continue
        deeper = []
        for entry in entries:
            name = f"{folder_name}/{printable(entry.name)}"
            if is_silent(entry.name):
                continue
            if entry.is_symlink():
                problem = _link(Path(entry.path), name, outside)
                if problem:
                    found = True
                    yield problem
            elif entry.is_dir(follow_symlinks=False):
                if depth >= limits.folder_depth:
                    found = True
                    yield DocumentError(
                        f"{name}：文件夹套了超过{limits.folder_depth}层，这一层以下没有读取。"
                    )
                else:
                    deeper.append((Path(entry.path), name, depth + 1))
            elif suffix_of(entry.name) not in KNOWN_SUFFIXES:
                unknown.append(name)
            else:
                found = True
                yield from _file(Path(entry.path), name, limits, follow=False)
        waiting += reversed(deeper)
    if unknown:
        yield skipped(top_name, unknown)
    elif not found:
        yield DocumentError(f"{top_name}：文件夹里没有可以读取的文件。")


def _link(path: Path, name: str, top: str) -> DocumentError | None:
    """A link to something in the same folder needs no word: what it points at is read where it stands."""
    try:
        target = os.path.realpath(path, strict=True)
    except OSError:
        return DocumentError(f"{name}：是打不开的链接，没有读取。")
    if os.path.commonpath([target, top]) == top:
        return None
    return DocumentError(f"{name}：是指向文件夹以外的链接，没有读取。")


def _file(path: Path, name: str, limits: Limits, follow: bool = True) -> Iterator[Source | DocumentError]:
    # without O_NONBLOCK, opening a pipe would wait for a writer for ever
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not follow:
            flags |= getattr(os, "O_NOFOLLOW", 0)
        if not stat.S_ISREG(os.stat(path).st_mode):
            yield DocumentError(f"{name}：不是普通文件，不能读取。")
            return
        with open(os.open(path, flags), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                yield DocumentError(f"{name}：不是普通文件，不能读取。")
                return
            if archive.is_archive(file, suffix_of(name)):
                yield from archive.members(file, name, limits)
                return
            if about.st_size > limits.file_bytes:
                yield DocumentError(
                    f"{name}：文件有 {megabytes(about.st_size)}，超过 {megabytes(limits.file_bytes)} 的上限；"
                    "请拆开后再添加。"
                )
                return
            content = file.read(limits.file_bytes + 1)
    except OSError as error:
        yield DocumentError(f"{name}：{_why(error)}")
        return
    yield Source(name, content, datetime.fromtimestamp(about.st_mtime, UTC).date())


def _why(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "没有读取的权限；请检查文件权限后再试。"
    if isinstance(error, FileNotFoundError):
        return "找不到这个文件或文件夹；请检查路径。"
    return "打不开；请确认文件没有损坏、没有被占用后再试。"
