"""Takes documents in: a file becomes the words of a known instrument, a new instrument, or an article.

Comes in: what the readers make of files, the catalogue, the library. Goes out: one :class:`Outcome` for each file.
A file that cannot be used never stops the rest; an interruption undoes all of the call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal, Protocol

from assistant.documents.essays import read_essay
from assistant.documents.matching import identify, new_instrument, provisions_of, texts_of
from assistant.documents.normative import normative
from assistant.documents.particulars import Particulars
from assistant.documents.structure import read_regulation
from assistant.errors import DocumentError
from assistant.law.corpus import Corpus
from assistant.law.text import fold
from assistant.model import (
    COMMENTARY_RANK,
    INTERPRETATION_RANK,
    Document,
    Essay,
    Instrument,
    Provision,
    RawDocument,
    Regulation,
    Taken,
)

Kind = Literal["auto", "regulation", "interpretation", "commentary"]
Origin = Literal["file", "site", "package"]
LOWEST_RULE = 5  # the rank of 规范性文件
LEAST_WORDS = 20  # characters; a document with fewer says nothing that could be cited
_KINDS: Mapping[str, tuple[str, int]] = {
    "interpretation": ("官方解读", INTERPRETATION_RANK),
    "commentary": ("评论文章", COMMENTARY_RANK),
}
_CAUTIONS: Mapping[str, str] = {
    "interpretation": "官方解读，不是规定本身",
    "commentary": "评论文章，只代表作者看法，不是规定",
}


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


# ------------------------------------------------------------------ what a document is


def take(
    raw: RawDocument, content: bytes, corpus: Corpus, kind: Kind = "auto", origin: Origin = "file"
) -> Taken:
    """Understand a document.

    Args:
        kind: what the person says it is; "auto" to find out.

    Raises:
        DocumentError: there is nothing in it that could be cited, or it is not what the person says.
    """
    words = "".join(block.text for block in raw.blocks)
    if len(fold("".join(words.split()))) < LEAST_WORDS:
        raise DocumentError(f"{raw.name} 里没有读到可用的文字，请确认文件不是空白或图片后再添加。", raw.name)
    document_id = f"doc-{hashlib.sha256(content).hexdigest()[:12]}"
    regulation = read_regulation(raw) if kind in ("auto", "regulation") else None
    if regulation is not None:
        return taken_regulation(regulation, document_id, raw, len(content), corpus, origin)
    essay = read_essay(raw)
    notice = normative(raw, essay.title) if kind in ("auto", "regulation") else None
    if kind == "regulation" and notice is None:
        raise DocumentError(
            f"{raw.name} 里没有认出“第一条、第二条”这样的条文，也没有发文机关和日期，请检查文件，或者按文章添加。",
            raw.name,
        )
    return _taken_essay(essay, notice, document_id, raw, len(content), kind, origin)


def taken_regulation(
    regulation: Regulation,
    document_id: str,
    raw: RawDocument,
    size: int,
    corpus: Corpus,
    origin: Origin = "file",
) -> Taken:
    """A regulation as the words of the instrument it is, or as an instrument of its own."""
    identity = identify(regulation, corpus.instruments)
    if identity.relation == "same" and identity.instrument_id:
        instrument = corpus.instruments[identity.instrument_id]
        own = None
        texts = texts_of(regulation, instrument.id)
        provisions = tuple(p for p in provisions_of(regulation, instrument) if corpus.get(p.id) is None)
    else:
        own = replace(
            new_instrument(regulation, document_id), document=document_id, official_url=raw.source_url
        )
        instrument, texts = own, {}
        provisions = provisions_of(regulation, own)
    document = Document(
        id=document_id,
        name=raw.name,
        origin=origin,
        kind="regulation",
        title=regulation.title or raw.name,
        instrument_id=instrument.id,
        relation=identity.relation,
        added=datetime.now(UTC),
        size=size,
        articles=len(regulation.articles),
        passages=len(provisions) or len(regulation.articles),
        about=identity.sentence,
        notices=raw.notices,
        source_url=raw.source_url,
    )
    return Taken(document, _fingerprint(_said(regulation)), provisions, texts, own, regulation)


def taken_law(instrument: Instrument, regulation: Regulation, package: str) -> Taken:
    """The words of an instrument of the catalogue as they came along in a data package.

    Articles the catalogue has no note on are found by their number only: nothing else is known of them.
    """
    said = _said(regulation)
    provisions = tuple(
        replace(p, searched=False) for p in provisions_of(regulation, instrument) if p.paragraph is None
    )
    document = Document(
        id=f"doc-{hashlib.sha256(f'{instrument.id}{said}'.encode()).hexdigest()[:12]}",
        name=package,
        origin="package",
        kind="regulation",
        title=regulation.title,
        instrument_id=instrument.id,
        relation="same",
        added=datetime.now(UTC),
        size=len(said.encode()),
        articles=len(regulation.articles),
        passages=len(regulation.articles),
    )
    return Taken(
        document, _fingerprint(said), provisions, texts_of(regulation, instrument.id), None, regulation
    )


def _said(regulation: Regulation) -> str:
    return "\n".join([regulation.title, *(f"{a.number} {a.whole}" for a in regulation.articles)])


def _taken_essay(
    essay: Essay,
    notice: tuple[str, Particulars] | None,
    document_id: str,
    raw: RawDocument,
    size: int,
    kind: Kind,
    origin: Origin,
) -> Taken:
    """A document in passages: an article, an interpretation, or a notice that sets rules without articles."""
    if not essay.excerpts:
        raise DocumentError(f"{raw.name} 去掉页眉、导航和重复后没有剩下正文，请检查文件。", raw.name)
    known: Literal["regulation", "interpretation", "commentary"] = (
        "regulation"
        if notice
        else "interpretation"
        if kind == "interpretation" or (kind == "auto" and essay.official)
        else "commentary"
    )
    if notice:
        title, said = notice
        name, rank = said.kind or "规范性文件", said.rank or LOWEST_RULE
        issuer, begun = said.issuer, said.effective_from or said.adopted
    else:
        title, issuer, begun = essay.title or raw.name, essay.source or essay.author, None
        name, rank = _KINDS[known]
    instrument = Instrument(
        id=document_id,
        title=title,
        short_titles=(title,),
        issuer=issuer,
        kind=name,
        rank=rank,
        effective_from=begun,
        effective_to=None,
        replaced_by=None,
        official_url=raw.source_url,
        article_count=None,
        caution=_CAUTIONS.get(known, ""),
        document=document_id,
        author=essay.author,
        published=essay.published,
    )
    provisions = tuple(
        Provision(
            id=f"{document_id}#n{number:03}",
            instrument=instrument,
            article=None,
            paragraph=None,
            item=None,
            label=_place(title, raw.name, excerpt.section, excerpt.page, number),
            topic=excerpt.section or title,
            digest="",
            text=excerpt.text,
            keywords=(),
            applies_to=(),
            facts={},
            cross_refs=(),
            confidence="verified",
            section=excerpt.section,
            page=excerpt.page,
        )
        for number, excerpt in enumerate(essay.excerpts, start=1)
    )
    author = issuer if notice else essay.author
    by = "，".join(filter(None, (author, essay.published.isoformat() if essay.published else "")))
    document = Document(
        id=document_id,
        name=raw.name,
        origin=origin,
        kind=known,
        title=title,
        instrument_id=document_id,
        relation="new",
        added=datetime.now(UTC),
        size=size,
        articles=0,
        passages=len(provisions),
        about=f"认作{name}《{title}》{f'（{by}）' if by else ''}，分成 {len(provisions)} 段。",
        notices=raw.notices,
        source_url=raw.source_url,
    )
    return Taken(
        document, _fingerprint("\n".join(e.text for e in essay.excerpts)), provisions, {}, instrument
    )


def _place(title: str, name: str, section: str, page: int | None, number: int) -> str:
    """How a passage is cited: 《标题》（文件名，第3页，第二部分，第12段）."""
    where = [name, f"第{page}页" if page else "", section.replace(" > ", "·"), f"第{number}段"]
    return f"《{title}》（{'，'.join(filter(None, where))}）"


def _fingerprint(words: str) -> str:
    """The same for two files that say the same, whatever their format and characters."""
    return hashlib.sha256("".join(fold(words).split()).encode()).hexdigest()


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
    caution = _CAUTIONS.get(instrument.authority, "")
    return replace(document, title=instrument.title, kind=kind), replace(instrument, caution=caution)
