"""Takes documents in: a file becomes the words of a known instrument, a new instrument, or an article.

Comes in: what the readers make of files, the catalogue, the library. Goes out: one :class:`Outcome` for each file.
A file that cannot be used never stops the rest; an interruption undoes all of the call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, Protocol

from assistant.documents.taking import CAUTIONS, Kind, take
from assistant.errors import DocumentError
from assistant.law.corpus import Corpus
from assistant.model import COMMENTARY_RANK, Document, Instrument, RawDocument, Taken


class Source(Protocol):
    """A file that was found, not yet read."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class Shelves(Protocol):
    """The part of the library that takes documents in. See :class:`assistant.adapters.library.Library`."""

    def same(self, content: bytes, words: str) -> Document | None: ...

    def changing(self) -> AbstractContextManager[Receiving]: ...


class Receiving(Protocol):
    """A change of the library that is being made."""

    def add(self, taken: Taken, content: bytes) -> None: ...

    def remove(self, document_id: str) -> bool: ...

    def edit(self, document: Document, instrument: Instrument) -> None: ...

    def instrument(self, document_id: str) -> Instrument | None: ...


@dataclass(frozen=True)
class Outcome:
    """What became of one file, with one sentence for the person."""

    name: str
    status: Literal["added", "known", "failed"]
    sentence: str
    document: Document | None = None


def add_documents(
    sources: Iterable[Source | DocumentError],
    read: Callable[[Source], RawDocument],
    library: Shelves,
    corpus: Corpus,
    kind: Kind = "auto",
    told: Callable[[Outcome], object] = lambda _outcome: None,
) -> tuple[Outcome, ...]:
    """Take in all that can be taken in; ``told`` hears of each file as it is done.

    Raises:
        LibraryError: the library cannot be written. Then, as after any other interruption, nothing was added.
    """
    outcomes: list[Outcome] = []
    seen: dict[str, Document] = {}
    with library.changing() as change:
        for source in sources:
            outcome = _add(source, read, library, change, corpus, kind, seen)
            outcomes.append(outcome)
            told(outcome)
    return tuple(outcomes)


def _add(
    source: Source | DocumentError,
    read: Callable[[Source], RawDocument],
    library: Shelves,
    change: Receiving,
    corpus: Corpus,
    kind: Kind,
    seen: dict[str, Document],
) -> Outcome:
    if isinstance(source, DocumentError):
        return Outcome(source.name or str(source).partition("：")[0], "failed", str(source))
    sha = hashlib.sha256(source.content).hexdigest()
    held = seen.get(sha) or library.same(source.content, "")
    if held is None:
        try:
            taken = take(read(source), source.content, corpus, kind)
        except DocumentError as error:
            return Outcome(source.name, "failed", str(error))
        held = seen.get(taken.words) or library.same(source.content, taken.words)
        if held is None or held.origin == "package":  # what the person brings counts before what came along
            change.add(taken, source.content)
            seen[sha] = seen[taken.words] = taken.document
            return Outcome(source.name, "added", taken.document.about, taken.document)
    known = f"与已有的“{held.name}”（{held.id}）内容相同，没有重复添加。"
    return Outcome(source.name, "known", known, held)


# ------------------------------------------------------------------ once more


def taken_again(
    document: Document,
    change: Receiving,
    content: bytes,
    read: Callable[[bytes], RawDocument],
    corpus: Corpus,
) -> Outcome:
    """Understand a document anew. What a person corrected of it is kept; unreadable, it stays as it was."""
    kind: Kind = document.kind if document.relation == "new" else "auto"
    try:
        taken = take(read(content), content, corpus, kind, document.origin)
    except DocumentError as error:
        return Outcome(document.name, "failed", str(error), document)
    held = change.instrument(document.id)
    made = replace(taken.document, id=document.id, name=document.name, added=document.added)
    instrument = taken.instrument
    if held and instrument:
        instrument = held
        made = replace(made, title=held.title, kind=document.kind)
    change.remove(document.id)
    change.add(replace(taken, document=made), content)
    if held and instrument:
        change.edit(made, instrument)
    return Outcome(document.name, "added", made.about, made)


# ------------------------------------------------------------------ correcting what was read


@dataclass(frozen=True)
class Correction:
    """What a person knows better about a document of its own; None leaves it as it is."""

    title: str | None = None
    issuer: str | None = None
    kind: str | None = None
    rank: int | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    author: str | None = None
    published: date | None = None
    cleared: frozenset[str] = frozenset()  # dates that are not known after all, by name


def corrected(
    document: Document, instrument: Instrument, correction: Correction
) -> tuple[Document, Instrument]:
    """Both with what the person said.

    Raises:
        DocumentError: the dates contradict one another, or the rank is none.
    """
    said = {n: v for n, v in vars(correction).items() if v is not None and n != "cleared"}
    said |= dict.fromkeys(correction.cleared & {"effective_from", "effective_to", "published"})
    instrument = replace(instrument, **said)
    if "title" in said:
        instrument = replace(instrument, short_titles=(instrument.title,))
    if not 1 <= instrument.rank <= COMMENTARY_RANK:
        raise DocumentError(
            f"位阶“{instrument.rank}”不可用，请写 1（最高）到 {COMMENTARY_RANK}（评论文章）。", document.name
        )
    begin, end = instrument.effective_from, instrument.effective_to
    if begin and end and end < begin:
        raise DocumentError(f"失效日期 {end} 早于施行日期 {begin}，请检查两个日期。", document.name)
    kind: Literal["regulation", "interpretation", "commentary"] = (
        "regulation" if instrument.authority == "rule" else instrument.authority
    )
    caution = CAUTIONS.get(instrument.authority, "")
    return replace(document, title=instrument.title, kind=kind), replace(instrument, caution=caution)
