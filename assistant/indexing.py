"""Builds the search index: what is indexed, and when it has to be made again.

Comes in: the corpus, a store, a way to show progress. Goes out: a published index and a report.
Only texts that the published index does not have are embedded; after a change of the model, all of them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from assistant.model import Provision
from assistant.ports import Entry

Progress = Callable[[int, str], AbstractContextManager[Callable[[int], object]]]
"""Shows work of so many steps under a label; what it yields is told how many more are done."""


class Library(Protocol):
    """The part of the corpus that is indexed."""

    @property
    def asked(self) -> Mapping[str, Sequence[str]]: ...

    def provisions(self) -> Iterator[Provision]: ...


class Store(Protocol):
    """Where the index is kept. See :class:`assistant.adapters.vector_store.VectorStore`."""

    def holds(self, digest: str) -> bool: ...

    def usable(self) -> bool: ...

    def entries(self) -> Sequence[Entry]: ...

    def building(self, wait: bool) -> AbstractContextManager[bool]: ...

    def write(self, entries: Sequence[Entry], digest: str, advance: Callable[[int], object]) -> None: ...


@dataclass(frozen=True)
class IndexReport:
    """What a build did. ``waiting``: somebody else is building, and the older index serves meanwhile."""

    added: int = 0
    removed: int = 0
    kept: int = 0
    seconds: float = 0.0
    waiting: bool = False


def entries(library: Library) -> tuple[Entry, ...]:
    """What is indexed: each provision, and each way in which people ask for it."""
    digests = [
        Entry(p.id, p.id, "provision", f"{p.label} {p.topic}。{p.digest} {' '.join(p.keywords)}".strip())
        for p in library.provisions()
    ]
    asked = [
        Entry(f"{id}?{n}", id, "asked", question)
        for id, questions in library.asked.items()
        for n, question in enumerate(questions, start=1)
    ]
    return (*digests, *asked)


def ensure_index(
    entries: Sequence[Entry], store: Store, progress: Progress | None = None
) -> IndexReport | None:
    """Bring the published index up to date; ``None`` when it is already. Cheap then: nothing is opened.

    When another process is building: use the older index meanwhile, or wait where there is none.

    Raises:
        IndexUnavailable: the index cannot be written.
        EmbeddingError: the model cannot be loaded or reached. The older index stays as it is.
    """
    digest = digest_of(entries)
    if store.holds(digest):
        return None
    with store.building(wait=not store.usable()) as ours:
        if not ours:
            return IndexReport(waiting=True)
        if store.holds(digest):  # the other process has done it
            return None
        return _build(entries, store, digest, progress)


def _build(entries: Sequence[Entry], store: Store, digest: str, progress: Progress | None) -> IndexReport:
    started = time.perf_counter()
    known = {entry.text for entry in store.entries()}
    texts = {entry.text for entry in entries}
    added = sum(entry.text not in known for entry in entries)
    with progress(added, "正在建立检索索引") if progress else nullcontext(lambda _done: None) as advance:
        store.write(entries, digest, advance)
    return IndexReport(
        added=added,
        removed=len(known - texts),
        kept=len(entries) - added,
        seconds=time.perf_counter() - started,
    )


def digest_of(entries: Sequence[Entry]) -> str:
    """Names the state of an index that holds just these entries."""
    rows = [(entry.key, entry.provision_id, entry.role, entry.text) for entry in entries]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
