"""What a document is taken for: the words of a known instrument, a new instrument, a notice, or an article.

Comes in: a document as its reader found it, the catalogue. Goes out: :class:`~assistant.model.Taken`, ready to be kept.
Raises ``DocumentError`` where there is nothing that could be cited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

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
CAUTIONS: Mapping[str, str] = {
    "interpretation": "官方解读，不是规定本身",
    "commentary": "评论文章，只代表作者看法，不是规定",
}


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
        caution=CAUTIONS.get(known, ""),
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
