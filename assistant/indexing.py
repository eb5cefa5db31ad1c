"""Builds the search index: what is indexed, and when it has to be made again.

Comes in: the corpus, a store, a way to show progress. Goes out: a published index and a report.
Only texts that the published index does not have are embedded; after a change of the model, all of them.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from assistant.documents.excerpts import cut
from assistant.law.text import normalise
from assistant.model import Provision
from assistant.ports import Entry

LONGEST = 450  # characters of one entry

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


class Told(Protocol):
    """A situation with its outcome that can be found. See :class:`assistant.law.cases.Case`."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def story(self) -> str: ...


def entries(library: Library, cases: Iterable[Told] = ()) -> tuple[Entry, ...]:
    """What is indexed: each provision, each way in which people ask for it, articles and cases.

    A long text is several entries. Provisions of which nothing is known but their words are found by number only.
    """
    said = [
        Entry(p.id if number == 0 else f"{p.id}~{number}", p.id, _role(p), f"{_head(p)}{part}".strip())
        for p in library.provisions()
        if p.searched
        for number, part in enumerate(_parts(p))
    ]
    asked = [
        Entry(f"{id}?{n}", id, "asked", question)
        for id, questions in library.asked.items()
        for n, question in enumerate(questions, start=1)
    ]
    told = [Entry(f"case:{c.id}", c.id, "case", f"{c.title}。{c.story}") for c in cases]
    return (*said, *asked, *told)


def _role(provision: Provision) -> str:
    return "provision" if provision.instrument.authority == "rule" else "commentary"


def _head(provision: Provision) -> str:
    """What is said before the words: of an article its title and heading, without the place in the file."""
    if _role(provision) == "commentary":
        return normalise(f"{provision.instrument.title} {provision.section}。")
    return f"{provision.label} {provision.topic}。"


def _parts(provision: Provision) -> list[str]:
    """The words that are looked through, in parts that the model reads to the end."""
    if provision.digest:
        return [f"{provision.digest} {' '.join(provision.keywords)}"]
    text = normalise(provision.text or "", keep_lines=True)  # found in simplified characters, shown as it is
    if len(text) <= LONGEST:
        return [text]
    return [excerpt.text for excerpt in cut(text, size=LONGEST)]


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
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
