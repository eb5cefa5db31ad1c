"""One provision as the sheet that opens behind every [n]: what it says, since when, where it stands.

Comes in: the corpus, a provision's id, the day, the sentence that cites it. Goes out: HTML.
"""

from __future__ import annotations

from datetime import date
from difflib import SequenceMatcher
from typing import Protocol

from markupsafe import Markup, escape

from assistant.model import Instrument, Provision
from assistant.web.markup import render

SHARED = 6  # characters in a row that a sentence must share with a provision to be marked in it
_LONGEST = 2_000  # characters of a text that are compared


class Stock(Protocol):
    """The part of the corpus that the pages need."""

    def get(self, id: str, /) -> Provision | None: ...

    def neighbours(self, id: str, /) -> tuple[Provision | None, Provision | None]: ...

    def holder(self, id: str, /) -> Instrument | None: ...


def sheet(
    stock: Stock, id: str, day: date, sentence: str = "", number: str = "", turn: int | None = None
) -> str:
    """The sheet of a provision; a sentence saying so where there is none.

    Args:
        sentence: the words of the answer that cite it; what they share with it is marked.
        number: the mark that was opened, "3".
        turn: the answer that it was opened from; its neighbours are then read for the same day.
    """
    provision = stock.get(id)
    if provision is None:
        return render("sheet.html.j2", provision=None)
    before, after = stock.neighbours(id)
    instrument = provision.instrument
    return render(
        "sheet.html.j2",
        provision=provision,
        instrument=instrument,
        number=number,
        turn=turn,
        digest=marked(provision.digest, sentence) if provision.digest else "",
        text=marked(provision.text, sentence) if provision.text else "",
        in_force=instrument.in_force(day),
        day=day,
        before=before,
        after=after,
        replaced_by=stock.holder(instrument.replaced_by) if instrument.replaced_by else None,
        citation=citation(provision),
    )


def citation(provision: Provision) -> str:
    """The provision as it is put into another text: label, day, and its words with what they are."""
    begun = provision.instrument.effective_from
    since = f"（{begun.year}年{begun.month}月{begun.day}日起施行）" if begun else ""
    words = f"“{provision.text}”" if provision.text else f"要旨（非原文）：{provision.digest}"
    doubt = "（待核）" if provision.confidence == "memory" else ""
    return f"{provision.label}{since}{doubt}：{words}"


def marked(text: str, sentence: str) -> Markup:
    """The text with the words that the sentence shares with it marked.

    >>> marked("甲乙<丙丁戊己庚>辛", "说的是丙丁戊己庚>辛")
    Markup('甲乙&lt;<mark>丙丁戊己庚&gt;辛</mark>')
    >>> marked("甲乙丙", "甲乙丙")
    Markup('甲乙丙')
    """
    shared = SequenceMatcher(None, text[:_LONGEST], sentence[:_LONGEST], autojunk=False).get_matching_blocks()
    pieces: list[Markup] = []
    at = 0
    for block in shared:
        if block.size >= SHARED:
            pieces += (
                escape(text[at : block.a]),
                Markup("<mark>{}</mark>").format(text[block.a : block.a + block.size]),
            )
            at = block.a + block.size
    pieces.append(escape(text[at:]))
    return Markup("").join(pieces).replace("\n", Markup("<br>"))
