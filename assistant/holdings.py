"""What is in stock, and how it changes: joins the catalogue, the library, the readers and the official sites.

Comes in: settings and what a person asks for. Goes out: the stock, and a report of what was done. Raises
``KnowledgeError``, ``LibraryError``, ``DocumentError``, ``SyncError``.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from assistant import __version__
from assistant.adapters.law_package import ABSENT, open_package
from assistant.adapters.library import Library
from assistant.adapters.official_site import OfficialSite
from assistant.adapters.readers import Limits, Source, read, sources
from assistant.documents.differences import Change, differences
from assistant.documents.matching import misfits
from assistant.documents.soundness import fault_sentence
from assistant.documents.taking import Kind, taken_law, taken_regulation
from assistant.documents.writing import Format, written
from assistant.errors import DocumentError, KnowledgeError, LibraryError
from assistant.importing import Correction, Outcome, add_documents, corrected, taken_again
from assistant.law.citations import resolve
from assistant.law.corpus import Corpus, load_corpus, with_documents
from assistant.model import Document, Instrument, Provision, RawDocument, Regulation
from assistant.ports import Page
from assistant.settings import Settings
from assistant.syncing import Stored, SyncParts, SyncReport, hosts_of
from assistant.syncing import sync as fetch_texts


def library_of(settings: Settings) -> Library:
    """The documents of this installation."""
    return Library(settings.data)


def stock(settings: Settings) -> Corpus:
    """The catalogue with the words of the laws that came along and with the person's documents.

    Raises:
        KnowledgeError: the first mistake in the catalogue.
        LibraryError: the documents cannot be read.
    """
    catalogue = load_corpus(settings.knowledge)
    library = library_of(settings)
    _bring_laws(library, catalogue)
    return with_documents(catalogue, library.shelf(catalogue.instruments, catalogue.ids()))


def _bring_laws(library: Library, catalogue: Corpus) -> None:
    """Keep the words of the national laws of the data package in the library, once for each state of both.

    Without the package, or with one that cannot be used, laws are shown by their digests; ``law_notes`` says so.
    """
    try:
        package = open_package()
        if package is None:
            state = ""
        else:
            heads = sorted(repr(i) for i in catalogue.instruments.values())
            state = hashlib.sha256("\n".join([package.revision, __version__, *heads]).encode()).hexdigest()
        if library.mark("laws") == state:
            return
        laws = package.laws_for(catalogue.instruments.values()) if package else ()
        texts = [(law, text) for law in laws if package and (text := package.text(law))]
    except LibraryError:
        return
    with library.changing() as change:
        if change.mark("laws") == state:  # another process has done it
            return
        for document in library.documents():
            if document.origin == "package":
                change.remove(document.id)
        for law, text in texts:
            if text.regulation.articles:
                taken = taken_law(
                    law.instrument, text.regulation, f"{law.note.package} {law.note.package_version}"
                )
                change.add(taken, b"")
        change.set_mark("laws", state)


def law_notes(settings: Settings) -> tuple[str, ...]:
    """How each law of the data package stands to the catalogue, one sentence each."""
    try:
        package = open_package()
        if package is None:
            return (ABSENT,)
        catalogue = load_corpus(settings.knowledge)
        said = []
        for law in package.laws_for(catalogue.instruments.values()):
            text = package.text(law)
            said.append(law.note.sentence + (fault_sentence(text.faults) if text and text.faults else ""))
        return tuple(said)
    except LibraryError as error:
        return (str(error),)


def loose_notes(settings: Settings) -> tuple[str, ...]:
    """Notes of the catalogue that speak of an article, paragraph or item which the text of the instrument lacks."""
    corpus, library = load_corpus(settings.knowledge), library_of(settings)
    notes: dict[str, list[Provision]] = {}
    for provision in corpus.provisions():
        notes.setdefault(provision.instrument.id, []).append(provision)
    said: list[str] = []
    for id, provisions in notes.items():
        held = library.history(id)
        regulation = library.regulation(held[0].id) if held else None
        said += misfits(regulation, provisions) if regulation else ()
    return tuple(said)


# ------------------------------------------------------------------ taking in, correcting, removing


def add(
    settings: Settings,
    paths: Sequence[Path],
    kind: Kind = "auto",
    told: Callable[[Outcome], object] = lambda _outcome: None,
) -> tuple[Outcome, ...]:
    """Take in files, folders and archives. All of it, or, when interrupted, nothing.

    Raises:
        LibraryError: nothing can be written.
    """
    limits = _limits(settings)
    return add_documents(
        sources(paths, limits),
        partial(read, limits=limits),
        library_of(settings),
        load_corpus(settings.knowledge),
        kind,
        told,
    )


def remove(settings: Settings, ids: Sequence[str]) -> tuple[Document, ...]:
    """Take documents out, with their originals.

    Raises:
        DocumentError: there is no document of one of the ids; then none is removed.
    """
    library = library_of(settings)
    gone = tuple(_document(library, id) for id in dict.fromkeys(ids))
    if kept := [d for d in gone if d.origin == "package"]:
        raise DocumentError(
            f"{kept[0].id} 是随程序附带的法律原文，不能单独移除；需要别的文本时直接添加即可，添加的优先。",
            kept[0].name,
        )
    with library.changing() as change:
        for document in gone:
            change.remove(document.id)
    return gone


def edit(settings: Settings, id: str, correction: Correction) -> Document:
    """Correct what was read about a document that is an instrument or an article of its own.

    Raises:
        DocumentError: no such document, it belongs to the catalogue, or what was said contradicts itself.
    """
    library = library_of(settings)
    document = _document(library, id)
    with library.changing() as change:
        instrument = change.instrument(document.id)
        if instrument is None:
            raise DocumentError(
                f"{document.name} 是目录里《{document.title}》的原文，它的名称、日期和位阶由目录决定，不能在这里改。",
                document.name,
            )
        document, instrument = corrected(document, instrument, correction)
        change.edit(document, instrument)
    return document


def reread(
    settings: Settings, told: Callable[[Outcome], object] = lambda _outcome: None
) -> tuple[Outcome, ...]:
    """Understand every document anew from its original: after an update of the program or of the catalogue.

    What a person corrected is kept. A document that can no longer be read stays as it was.
    """
    library, limits = library_of(settings), _limits(settings)
    corpus = load_corpus(settings.knowledge)
    outcomes = []
    with library.changing() as change:
        for document in library.documents():
            original = library.original(document.id)
            if original is None:
                continue
            outcome = taken_again(
                document,
                change,
                original.read_bytes(),
                lambda content, name=document.name: read(Source(name, content), limits),  # type: ignore[misc]
                corpus,
            )
            outcomes.append(outcome)
            told(outcome)
    return tuple(outcomes)


def _limits(settings: Settings) -> Limits:
    return Limits(
        file_bytes=settings.max_file_mb << 20, pages=settings.max_pages, seconds=settings.max_read_seconds
    )


def _document(library: Library, id: str) -> Document:
    found = [d for d in library.documents() if id in (d.id, d.name, d.title)]
    if len(found) == 1:
        return found[0]
    if found:
        raise DocumentError(f"“{id}”有 {len(found)} 份文件，请写编号：{'、'.join(d.id for d in found)}。", id)
    raise DocumentError(f"文档库里没有“{id}”，请用 zeming kb list 查看编号。", id)


# ------------------------------------------------------------------ the official sites


class SyncedTexts:
    """The library as syncing needs it. See :class:`assistant.syncing.TextLibrary`."""

    def __init__(self, library: Library, catalogue: Corpus) -> None:
        self._library, self._catalogue = library, catalogue

    def latest(self, instrument_id: str) -> Regulation | None:
        """The text that counts now, wherever it came from."""
        held = self._library.history(instrument_id)
        return self._library.regulation(held[0].id) if held else None

    def store(
        self, instrument_id: str, raw: bytes, regulation: Regulation, url: str, fetched: datetime
    ) -> None:
        """Keep a text; the one before it stays as well."""
        page = RawDocument(f"{regulation.title}.html", "html", (), source_url=url)
        document_id = f"doc-{hashlib.sha256(raw + fetched.isoformat().encode()).hexdigest()[:12]}"
        taken = taken_regulation(regulation, document_id, page, len(raw), self._catalogue, "site")
        taken = replace(taken, document=replace(taken.document, added=fetched))
        with self._library.changing() as change:
            change.add(taken, raw)

    def history(self, instrument_id: str) -> tuple[Stored, ...]:
        """Everything that was ever fetched."""
        held = self._library.history(instrument_id)
        return tuple(Stored(d.added, d.source_url or "") for d in held if d.origin == "site")


def sync(
    settings: Settings,
    ids: Sequence[str] = (),
    *,
    dry_run: bool = False,
    look_up: bool = False,
    told: Callable[[SyncReport], object] = lambda _report: None,
    site: OfficialSite | None = None,
) -> list[SyncReport]:
    """Get the official text of instruments of the catalogue from their official addresses.

    Args:
        ids: of the instruments; all that are in force where none is named.
        dry_run: only say what would be asked.
        look_up: search the Party-regulation library for what has no address of its own.
        site: the official sites; those of the catalogue where none is given.

    Raises:
        KnowledgeError: one of the ids is none of the catalogue.
    """
    catalogue = load_corpus(settings.knowledge)
    limits = _limits(settings)

    def read_page(page: Page) -> RawDocument:
        found = read(Source("网页.html", page.content), limits=limits)
        return replace(found, source_url=page.final_url)

    library = SyncedTexts(library_of(settings), catalogue)
    with site or OfficialSite(hosts_of(catalogue.instruments), settings.data / "pages") as open_site:
        parts = SyncParts(open_site, read_page, library)
        return fetch_texts(ids, catalogue.instruments, parts, dry_run=dry_run, look_up=look_up, told=told)


# ------------------------------------------------------------------ looking


@dataclass(frozen=True)
class Listing:
    """One line of the list of instruments: notes on its provisions, those unverified, provisions with their words."""

    instrument: Instrument
    provisions: int
    unverified: int
    with_text: int


def listing(corpus: Corpus) -> tuple[Listing, ...]:
    """Every instrument of the stock, those in force first."""
    counts: dict[str, list[int]] = {}
    for p in corpus.provisions():
        row = counts.setdefault(p.instrument.id, [0, 0, 0])
        row[0] += bool(p.digest)
        row[1] += p.confidence == "memory"
        row[2] += p.text is not None
    rows = [Listing(i, *counts.get(i.id, [0, 0, 0])) for i in corpus.instruments.values()]
    return tuple(sorted(rows, key=lambda row: (row.instrument.effective_to is not None, row.instrument.rank)))


def found(corpus: Corpus, reference: str, day: date) -> tuple[Provision, str]:
    """The provision that a person names, and what has to be said about it.

    Raises:
        KnowledgeError: nothing of that name; the message says which of the reasons it is.
    """
    provision = corpus.get(reference.strip())
    if provision is not None:
        return provision, ""
    named = resolve(reference, corpus, day)
    provision = corpus.get(named.provision_id) if named.provision_id else None
    if provision is None:
        raise KnowledgeError(
            named.notice or f"没有读懂“{reference}”，请写成“问责条例第七条第三项”或 wenze-2019#7.1.3。"
        )
    return provision, named.notice or ""


# ------------------------------------------------------------------ comparing and handing out


def compared(
    settings: Settings, first: str, second: str | None = None
) -> tuple[Document, Document, tuple[Change, ...]]:
    """What the later of two texts says otherwise than the earlier one.

    Args:
        first: a document, or an instrument of which texts were taken in.
        second: another one; None for the two latest texts of one instrument.

    Raises:
        DocumentError: one of them is not there, or is no regulation.
    """
    library = library_of(settings)
    if second is None:
        held = _texts(library, first)
        if len(held) < 2:
            raise DocumentError(f"“{first}”只有一份原文，没有可以比较的旧文本。", first)
        new, old = held[0], held[1]
    else:
        old, new = _texts(library, first)[0], _texts(library, second)[0]
    return old, new, differences(_regulation(library, old), _regulation(library, new))


def _texts(library: Library, id: str) -> tuple[Document, ...]:
    return library.history(id) or (_document(library, id),)


def _regulation(library: Library, document: Document) -> Regulation:
    found = library.regulation(document.id)
    if found is None:
        raise DocumentError(f"{document.name} 是文章，没有条文可以比较。", document.name)
    return found


def exported(settings: Settings, id: str, form: Format) -> str:
    """A document, or the text that counts of an instrument, as text.

    Raises:
        DocumentError: there is none.
    """
    library = library_of(settings)
    document = _texts(library, id)[0]
    passages = [p for p in stock(settings).provisions() if p.instrument.document == document.id]
    return written(document, library.regulation(document.id), passages, form)


def save_originals(settings: Settings, target: Path) -> int:
    """All originals in one archive, which can be added again; how many there are.

    Raises:
        DocumentError: there are none, or the archive cannot be written.
    """
    library = library_of(settings)
    originals = [(d, path) for d in library.documents() if (path := library.original(d.id))]
    if not originals:
        raise DocumentError("文档库里还没有添加过文件，没有可以导出的原件。", "")
    half = target.with_name(target.name + ".partial")
    taken: set[str] = set()
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
            for document, path in originals:
                name = document.name.replace("/", "／").lstrip(".")
                if name in taken:
                    name = f"{document.id} {name}"
                taken.add(name)
                archive.write(path, name)
        half.replace(target)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise DocumentError(
            f"写不了 {target}（{error.strerror}），请换一个能写的位置。", str(target)
        ) from error
    return len(originals)
