"""Search by words: BM25 over pairs of neighbouring characters, numbers and Latin words.

Comes in: entries. Goes out: ids with the best first. Indexes of many texts are kept in files, because reading
files is quicker than counting words: a later start maps them into memory and reads only what a search needs.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import bm25s  # type: ignore[import-untyped, unused-ignore]
import numpy as np

from assistant.law.text import fold
from assistant.ports import Entry

WORDS = 1  # raise it when other words are made of a text: indexes in files are not used any more then

_WORD = re.compile(r"(?=([\u3400-\u9fff]{2}|(?<![a-z])[a-z]+|(?<![0-9])[0-9]+))")  # overlapping
_AT_ONCE = 300  # ids that are put in order at a time


class WordIndex:
    """BM25 over the words of each provision; several entries of one provision count as one text."""

    def __init__(self, ids: Sequence[str], index: bm25s.BM25 | None) -> None:
        """``index`` has one row for each of ``ids``; ``None`` where no text has any word."""
        self._ids = ids
        self._index = index
        self._vocabulary: Mapping[str, int] = index.vocab_dict if index else {}

    def search(self, text: str, among: Collection[str] | None = None) -> Iterator[str]:
        """Ids that share a word with the text, best first; worked out as far as they are asked for."""
        known = [word for word in words(fold(text)) if word in self._vocabulary]
        if not known or self._index is None:
            return
        scores = self._index.get_scores(known)
        if among is not None:
            scores *= np.fromiter((id in among for id in self._ids), bool, len(self._ids))
        left = int(np.count_nonzero(scores > 0))
        if left > _AT_ONCE:
            best = np.argpartition(-scores, _AT_ONCE)[:_AT_ONCE]
            best = best[np.lexsort((best, -scores[best]))]
            yield from (self._ids[i] for i in best)
            scores[best] = 0
            left -= len(best)
        yield from (self._ids[i] for i in np.argsort(-scores, kind="stable")[:left])


def word_indexes(
    entries: Sequence[Entry], roles: Mapping[str, Collection[str]], kept: Path | None = None
) -> dict[str, WordIndex]:
    """By name, an index of the entries of some roles. ``kept`` is the folder to find them in, or to keep them.

    The folder is for these entries alone: its name must change with them. Older folders beside it are removed.
    Files only save time: where they cannot be read or written, the words are counted again.
    """
    ids = {
        name: list(dict.fromkeys(entry.provision_id for entry in entries if entry.role in held))
        for name, held in roles.items()
    }
    folder = kept.with_name(f"{kept.name}-{WORDS}") if kept else None
    if folder and folder.is_dir():
        with suppress(Exception):  # whatever the library makes of damaged files
            return {name: WordIndex(ids[name], _load(folder / name)) for name in roles}
    made = _made(entries, roles)
    if folder:
        with suppress(OSError):
            _keep(made, folder)
    return {name: WordIndex(ids[name], made[name]) for name in roles}


def words(text: str) -> list[str]:
    """The words of a folded text: pairs of neighbouring characters, numbers, Latin words.

    >>> words("收到决定后1个月内交到12388")
    ['收到', '到决', '决定', '定后', '1', '个月', '月内', '内交', '交到', '12388']
    """
    return _WORD.findall(text.lower())


def _made(entries: Sequence[Entry], roles: Mapping[str, Collection[str]]) -> dict[str, bm25s.BM25 | None]:
    # one fold for all texts, as each call has its price
    texts = fold("\n".join(entry.text.replace("\n", " ") for entry in entries)).split("\n")
    vocabulary: dict[str, int] = {}
    numbered = [
        [vocabulary.setdefault(word, len(vocabulary)) for word in words(text)]
        for text in texts[: len(entries)]
    ]
    names = list(vocabulary)
    made = {}
    for name, held in roles.items():
        rows: dict[str, list[int]] = {}
        for entry, found in zip(entries, numbered, strict=True):
            if entry.role in held:
                rows.setdefault(entry.provision_id, []).extend(found)
        made[name] = _index(list(rows.values()), names)
    return made


def _index(rows: Sequence[Sequence[int]], names: Sequence[str]) -> bm25s.BM25 | None:
    used = sorted({number for row in rows for number in row})
    if not used:
        return None
    place = {number: i for i, number in enumerate(used)}
    index = bm25s.BM25(k1=1.2, b=0.75)
    own = {names[number]: i for number, i in place.items()}
    index.index(([[place[number] for number in row] for row in rows], own), show_progress=False)
    return index


def _keep(made: Mapping[str, bm25s.BM25 | None], folder: Path) -> None:
    half = folder.with_name(f"half-{uuid.uuid4().hex[:12]}")
    try:
        for name, index in made.items():
            (half / name).mkdir(parents=True)
            if index:
                index.save(half / name, show_progress=False)
        if not folder.exists():  # another process may have been quicker, or what is there is damaged
            half.rename(folder)
        else:
            damaged = folder.rename(half.with_name(f"{half.name}-old"))
            half.rename(folder)
            shutil.rmtree(damaged, ignore_errors=True)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _load(folder: Path) -> bm25s.BM25 | None:
    """The index of a folder; ``None`` for an empty one.

    Raises:
        Exception: whatever the library raises where files are missing or damaged.
    """
    if not any(folder.iterdir()):
        return None
    return bm25s.BM25.load(folder, mmap=True)
