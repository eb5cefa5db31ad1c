"""What a browser sent to be taken in: put aside under the names that people know, and deleted afterwards.

Comes in: what the page says was uploaded, none of it trusted. Goes out: paths for :func:`assistant.holdings.add`.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.importing import Outcome

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f/\\:*?"<>|]' if os.name == "nt" else r"[\x00-\x1f/\\]")
_LONGEST = 200  # bytes of a name
_DEEPEST = 32  # folders in one another
_OLD = 24 * 3600  # seconds


@dataclass(frozen=True)
class Parcel:
    """Files and folders that are ready to be read, and what did not arrive."""

    paths: tuple[Path, ...]
    missing: tuple[Outcome, ...] = ()


def uploads_folder(data: Path) -> Path:
    """Where Gradio puts what is uploaded."""
    return data / "gradio"


@contextmanager
def unpacked(sent: Mapping[str, Any], data: Path, max_mb: int) -> Iterator[Parcel]:
    """The files of one upload, moved to a folder of their own that is gone when the block ends.

    Args:
        sent: ``files`` [{path, name}], ``left`` [{name, why}] and ``skipped``, as ``upload.js`` says them.
    """
    incoming = data / "incoming"
    incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=incoming, ignore_cleanup_errors=True) as folder:
        tops: dict[Path, None] = {}
        missing = [_left(row, max_mb) for row in _rows(sent.get("left"))]
        skipped = sent.get("skipped")
        if isinstance(skipped, int) and skipped > 0:
            sentence = f"有 {skipped} 个文件不是可以读取的格式，已跳过。"
            missing.append(Outcome("文件夹", "failed", sentence))
        for row in _rows(sent.get("files")):
            parts = _parts(str(row.get("name", "")))
            source = _uploaded(str(row.get("path", "")), uploads_folder(data))
            top = source and _move(source, Path(folder), parts)
            if top:
                tops[top] = None
            else:
                missing.append(_left({"name": "/".join(parts)}, max_mb))
        yield Parcel(tuple(tops), tuple(missing))


def sweep(data: Path) -> None:
    """Remove what earlier, killed programs left of uploads."""
    oldest = time.time() - _OLD
    for folder in (uploads_folder(data), data / "incoming"):
        with suppress(OSError):
            for entry in folder.iterdir():
                with suppress(OSError):
                    if entry.lstat().st_mtime < oldest:
                        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _left(row: Mapping[str, Any], max_mb: int) -> Outcome:
    name = "/".join(_parts(str(row.get("name", ""))))
    if row.get("why") == "size":
        return Outcome(name, "failed", f"{name}：文件超过 {max_mb} MB 的上限；请拆开后再添加。")
    return Outcome(name, "failed", f"{name}：没有传上来；请重新选择后再添加。")


def _parts(name: str) -> list[str]:
    """A name out of a browser as folders and file; nothing in it leads anywhere else.

    >>> _parts("材料/一/甲.txt"), _parts("../../etc/passwd"), _parts("")
    (['材料', '一', '甲.txt'], ['etc', 'passwd'], ['未命名'])
    """
    parts = [_NOT_IN_NAMES.sub("_", part) for part in name.replace("\\", "/").split("/")]
    kept = [_short(part) for part in parts if part.strip() not in ("", ".", "..")]
    return kept[-_DEEPEST:] or ["未命名"]


def _short(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    room = _LONGEST - len(suffix.encode("utf-8", "replace")[:20])
    return stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore") + suffix[:20]


def _uploaded(path: str, uploads: Path) -> Path | None:
    """The path, where it is a file that was uploaded."""
    try:
        found, root = Path(path).resolve(), uploads.resolve()
        return found if found.is_file() and found.is_relative_to(root) else None
    except (OSError, ValueError):
        return None


def _move(source: Path, folder: Path, parts: list[str]) -> Path | None:
    """Move an upload to its name; the topmost file or folder of it. Two files of one name get a place each."""
    number = 0
    while (target := folder.joinpath(str(number), *parts)).exists():
        number += 1
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
    except OSError:
        return None
    with suppress(OSError):
        source.parent.rmdir()  # Gradio makes a folder for each file
    return folder / str(number) / parts[0]
