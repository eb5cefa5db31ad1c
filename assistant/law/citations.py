"""Chinese legal references: what people write, read into provision ids, and provision ids written out.

Comes in: a text or a label, the stock of instruments and provisions, the day for which the law is read.
Goes out: references in the order of the text, each with its place in the original words, the provision it
means or the reason why it means none. Nothing is guessed: a reference that could mean two things stays
"unresolved", and what the stock lacks is never taken for something it holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from assistant.errors import KnowledgeError
from assistant.law.addresses import AFTER_TITLE, COUNTED, ELEMENT, Address, read_addresses, write_address
from assistant.law.references import Reference, Status, Stock, check_address, check_id, dated_title
from assistant.law.text import Normalised, aligned, normalise
from assistant.law.titles import (
    KINDS,
    Mention,
    choose_version,
    family,
    find_mentions,
    instruments_named,
    version_years,
)
from assistant.model import Instrument, Provision

__all__ = ["Reference", "Status", "Stock", "find_references", "format_reference", "resolve"]

# ---------------------------------------------------------------- reading a text

_ID = r"(?<![A-Za-z0-9-])(?P<id>[a-z][a-z0-9]*(?:-[a-z0-9]+)*#(?:n\d+|\d+(?:-\d+)?(?:\.\d+){0,2}))(?![\d#])"
_SAME_ARTICLE = r"(?P<same>[同该本此]条)(?=[第（])"
_PREVIOUS = r"(?P<previous>[前上]款)(?=[第（规所中的，。；、：]|$)"
_BARE = rf"(?P<bare>第(?={ELEMENT}[^，。；：《》“”]{{0,12}}?条))"
_LOOSE = f"{_ID}|{_SAME_ARTICLE}|{_PREVIOUS}|{_BARE}"
# the name of a rule right before 第七条, without 《》
_NAME_BEFORE = (
    rf"(?P<words>[一-鿿]*?)(?P<kind>{KINDS}|纪律)(?:（[^（）]*）)?"
    "(?:中所?规定的|规定的|的规定|中的|里的|中|里|的)?[”’」]?$"
)
_NO_RULE = re.compile("[依违合执司非立普做说看方用手想没有无]法$|没有?办法$|想办法$|意见$")
_CUE = re.compile(
    "按照|依照|根据|依据|违反|适用|参照|对照|引用|援引|符合|以及|规定|还有|关于|触犯|[按依据照和与及或看查从是了的跟把拿说翻在]"
)
_VAGUE = frozenset(
    (
        "",
        "有关",
        "相关",
        "这些",
        "那些",
        "上述",
        "前述",
        "新",
        "旧",
        "老",
        "现行",
        "这个",
        "那个",
        "个",
        "该",
        "本",
    )
)
_RULE_TITLE = re.compile(
    rf"(?:(?<!处理)(?<!处分)(?<!整改)(?<!问责)意见|(?!意见)(?:{KINDS})|规程|纲要|公约|宪法)(?:（[^（）]*）)?$"
)  # a decision on a person or a letter of advice is no rule that the stock could hold


@dataclass(frozen=True)
class _Named:
    """An instrument a text has named: one of the stock, or a title the stock does not hold."""

    start: int
    title: str
    instrument: Instrument | None


class _Reading:
    """One walk through a text; holds what has been named and cited so far, for 该条例, 同条 and 前款."""

    def __init__(self, source: Normalised, stock: Stock, day: date, context: Instrument | None) -> None:
        self.source, self.text = source, source.text
        self.stock, self.day, self.context = stock, day, context
        self.named: list[_Named] = []
        self.found: list[tuple[int, Reference]] = []

    def walk(self) -> tuple[Reference, ...]:
        mentions = list(find_mentions(self.text, self.stock.instruments.values()))
        loose = re.compile(_LOOSE)
        at = next_mention = 0
        match = loose.search(self.text)
        while True:
            while next_mention < len(mentions) and mentions[next_mention].start < at:
                next_mention += 1
            mention = mentions[next_mention] if next_mention < len(mentions) else None
            if match and match.start() < at:  # searched again only when passed: a search may run to the end
                match = loose.search(self.text, at)
            if mention and (match is None or mention.start <= match.start()):
                at = self._mention(mention)
            elif match is None:
                return tuple(reference for _, reference in self.found)
            elif match["id"]:
                self._add(match.start(), [self._by_id(match["id"], match.start(), match.end())])
                at = match.end()
            elif match["same"]:
                at = self._same_article(match)
            elif match["previous"]:
                at = self._previous_paragraph(match)
            else:
                at = max(self._bare(match.start(), at), match.end())

    # ------------------------------------------------ what stands in the text

    def _mention(self, mention: Mention) -> int:
        filler = AFTER_TITLE.match(self.text, mention.end)
        after = filler.end() if filler else mention.end
        titled = not self.text[mention.end : after].strip("”’」】").startswith(("，", "："))
        addresses, end = read_addresses(self.text, after, titled)
        end = end if addresses else mention.end
        if mention.kind == "pointer":
            if addresses:
                target = self._pointed(mention.written, mention.start)
                self._cite(addresses, target, mention.written, mention.start)
            return end
        if mention.kind == "unknown":
            if addresses or _RULE_TITLE.search(mention.written):
                self.named.append(_Named(mention.start, mention.written, None))
                self._unknown(addresses, mention.written, mention.start, end)
            return end
        choice = choose_version(mention, self.day)
        if choice.instrument:
            self.named.append(_Named(mention.start, choice.instrument.title, choice.instrument))
            if addresses:
                self._cite(addresses, choice.instrument, mention.written, mention.start)
            else:
                self._whole(choice.instrument, mention.written, mention.start, end)
            return end
        if choice.problem == "no_such_version":
            years = sorted({version_years(i)[0] for i in mention.instruments if version_years(i)})
            held = "、".join(f"{year}年" for year in years)
            which = f"{mention.year}年" if mention.year else "更早"
            notice = (
                f"知识库没有《{mention.instruments[0].title}》{which}的版本（收录的是{held}版），无法核对。"
            )
            status: Status = "unknown_instrument"
        else:
            titles = "、".join(sorted({dated_title(i, self.stock) for i in mention.instruments}))
            notice, status = f"“{mention.written}”可能指{titles}，请写明是哪一部。", "unresolved"
        self.named.append(_Named(mention.start, mention.written, None))
        self._failed(addresses or [None], mention.written, status, notice, mention.start, end)
        return end

    def _bare(self, start: int, floor: int) -> int:
        """第七条 without a title: of the context, unless another title, known or not, stands near."""
        addresses, end = read_addresses(self.text, start, titled=False)
        if not addresses or COUNTED.match(self.text, end):
            return start
        before = re.search(_NAME_BEFORE, self.text[max(floor, start - 40) : start])
        if before and not _NO_RULE.search(before["words"] + before["kind"]):
            begin = start - len(before[0])
            words = _CUE.split(before["words"])[-1]
            if words in _VAGUE:
                target = self._pointed(before["kind"], begin)
                self._cite(addresses, target, before["kind"], start - len(before[0]) + len(before["words"]))
            else:
                title = words + before["kind"]
                begin += before["words"].rindex(words)
                self.named.append(_Named(begin, title, None))
                self._unknown(addresses, title, begin, end)
            return end
        near = {n.title for n in self.named if n.start >= self._sentence_start(start)}
        if self.context and near <= {self.context.title}:
            self._cite(addresses, self.context, None, start)
        else:
            notice = f"没有写明是哪部法规的{addresses[0].written}，请写上法规名称。"
            self._failed(list(addresses), None, "unresolved", notice, start, end)
        return end

    def _same_article(self, match: re.Match[str]) -> int:
        cited = {(r.instrument_id, r.article) for r in self._nearby(match.start()) if r.article}
        instrument_id, article = cited.pop() if len(cited) == 1 else (None, None)
        base = Address(article or "0", None, None, None, match.start(), match.start())
        addresses, end = read_addresses(self.text, match.end(), titled=False, base=base)
        if not addresses:
            return match.end()
        instrument = self.stock.instruments.get(instrument_id or "")
        if instrument:
            self._cite(addresses, instrument, match[0], match.start())
        else:
            notice = f"“{match[0]}”指哪一条不明确，请写明法规名称和条号。"
            self._failed([None], match[0], "unresolved", notice, match.start(), end)
        return end

    def _previous_paragraph(self, match: re.Match[str]) -> int:
        cited = {(r.instrument_id, r.article, r.paragraph) for r in self._nearby(match.start()) if r.article}
        instrument_id, article, paragraph = cited.pop() if len(cited) == 1 else (None, None, None)
        base = Address(article or "0", paragraph, None, None, match.start(), match.end())
        addresses, end = read_addresses(self.text, match.end(), titled=False, base=base)
        end = end if addresses else match.end()
        instrument = self.stock.instruments.get(instrument_id or "")
        if instrument:
            self._cite(addresses or [base], instrument, match[0], match.start())
        else:
            notice = f"“{match[0]}”指哪一款不明确，请写明法规名称和条款。"
            self._failed([None], match[0], "unresolved", notice, match.start(), end)
        return end

    # ------------------------------------------------ what words point to

    def _sentence_start(self, at: int) -> int:
        return max(self.text.rfind(mark, 0, at) for mark in "。！？") + 1

    def _nearby(self, at: int) -> list[Reference]:
        """What the sentence has cited so far; where it has cited nothing, what the text has."""
        since = self._sentence_start(at)
        return [r for start, r in self.found if start >= since] or [r for _, r in self.found]

    def _pointed(self, word: str, at: int) -> Instrument | _Named | None:
        """What 本条例, 该法, 《规定》 mean: the one rule of that kind that is left, else None."""
        kind = re.search(f"(?:{KINDS})$", word)
        fitting = [n for n in self.named if _is_kind(n.title, kind[0] if kind else word)]
        context = (
            self.context if self.context and _is_kind(self.context.title, kind[0] if kind else word) else None
        )
        if word.startswith("本") and context:
            return context
        since = self._sentence_start(at)
        candidates = {n.title: n for n in fitting if n.start >= since} or {n.title: n for n in fitting}
        if len(candidates) == 1:
            named = next(iter(candidates.values()))
            return named.instrument or named
        return None if candidates else context

    # ------------------------------------------------ references

    def _add(self, at: int, references: list[Reference]) -> None:
        self.found += ((at, reference) for reference in references)

    def _place(self, start: int, end: int) -> tuple[str, int, int]:
        begin, stop = self.source.span(start, end)
        return self.source.original[begin:stop], begin, stop

    def _places(self, addresses: list[Address], start: int) -> Iterator[tuple[Address, tuple[str, int, int]]]:
        """Addresses with their places; the title belongs to the first one."""
        for address in addresses:
            begin = start if address.start == addresses[0].start else address.start
            yield address, self._place(begin, address.end)

    def _cite(
        self, addresses: list[Address], target: Instrument | _Named | None, title: str | None, start: int
    ) -> None:
        end = addresses[-1].end
        if isinstance(target, _Named):
            self._unknown(addresses, target.title, start, end)
        elif target is None:
            notice = f"“{title}”指哪部法规不明确，请写全名称。"
            self._failed(list(addresses), title, "unresolved", notice, start, end)
        else:
            placed = self._places(addresses, start)
            self._add(
                start, [check_address(a, target, title, self.stock, self.day, place) for a, place in placed]
            )

    def _whole(self, instrument: Instrument, title: str, start: int, end: int) -> None:
        place = self._place(start, end)
        self._add(start, [check_address(None, instrument, title, self.stock, self.day, place)])

    def _unknown(self, addresses: list[Address], title: str, start: int, end: int) -> None:
        notice = f"知识库没有收录《{title}》，无法核对，请查对原文。"
        self._failed(list(addresses) or [None], title, "unknown_instrument", notice, start, end)

    def _failed(
        self,
        addresses: list[Address] | list[Address | None] | list[None],
        title: str | None,
        status: Status,
        notice: str,
        start: int,
        end: int,
    ) -> None:
        known = [address for address in addresses if address is not None]
        placed = list(self._places(known, start)) if known else [(None, self._place(start, end))]
        self._add(
            start,
            [
                Reference(
                    text=text,
                    start=begin,
                    end=stop,
                    instrument_id=None,
                    title_written=title,
                    article=address.article if address else None,
                    paragraph=address.paragraph if address else None,
                    item=address.item if address else None,
                    status=status,
                    notice=notice,
                )
                for address, (text, begin, stop) in placed
            ],
        )

    def _by_id(self, written: str, start: int, end: int) -> Reference:
        return check_id(written, self.stock, self.day, self._place(start, end))


def _is_kind(title: str, kind: str) -> bool:
    whole = family(title)
    return whole.endswith(kind) and not (kind == "法" and whole.endswith("办法"))


def find_references(text: str, corpus: Stock, day: date, context: str | None = None) -> tuple[Reference, ...]:
    """Every legal reference of ``text`` in order; ``start`` and ``end`` are offsets in ``text`` as given.

    Versions are chosen for ``day`` unless the text names one by its year. ``context`` is the id of the
    instrument that a bare 第七条 belongs to; without it such a reference is "unresolved". The parts of lists
    and ranges become references of their own. A name of a rule without any article gives one reference to
    the whole instrument.
    """
    instrument = corpus.instruments.get(context) if context else None
    return _Reading(aligned(text), corpus, day, instrument).walk()


def resolve(label: str, corpus: Stock, day: date) -> Reference:
    """The one provision or instrument that ``label`` (a label, a citation or an id) names.

    "unresolved" when it holds no reference, or more than one.
    """
    found = find_references(label, corpus, day)
    whole = len(found) == 1 and found[0].text == label.strip()
    if whole and (found[0].article or found[0].provision_id):
        return found[0]
    if note := _note_of(label, corpus, day):
        return note
    if len(found) == 1:
        return found[0]
    notice = (
        f"“{label}”里有{len(found)}处引用，请分开写。" if found else f"从“{label}”里没有认出法规名称和条号。"
    )
    return Reference(label, 0, len(label), None, None, None, None, None, "unresolved", notice=notice)


def _note_of(label: str, corpus: Stock, day: date) -> Reference | None:
    """A note whose article number is not known is found by its whole label."""
    wanted = normalise(label)
    for short in (False, True):
        for note_id, written in _note_labels(corpus, short).items():
            if normalise(written) == wanted:
                return check_id(note_id, corpus, day, (label, 0, len(label)))
    return None


def _note_labels(corpus: Stock, short: bool) -> dict[str, str]:
    """Labels of the notes without article number; where two are the same, the key tells them apart."""
    notes = [p for p in corpus.provisions() if p.article is None]
    titles = {i.id: _title(i, corpus, short) for i in {note.instrument for note in notes}}
    times = Counter(note.label for note in notes)
    labels: dict[str, str] = {}
    for note in notes:
        title = f"《{note.instrument.title}》"
        starts = note.label.startswith(title)
        label = titles[note.instrument.id] + note.label.removeprefix(title) if starts else note.label
        labels[note.id] = f"{label}〔{note.id.partition('#')[2]}〕" if times[note.label] > 1 else label
    return labels


def format_reference(provision: Provision | str, corpus: Stock, short: bool = False) -> str:
    """How a provision is cited: 《中国共产党问责条例》第七条第（三）项, short 问责条例第七条第（三）项.

    A version that is no longer in force shows its year, where the stock holds a later one of the same title.
    An id that is not in the stock is written out all the same.

    Raises:
        KnowledgeError: the id names no instrument of the stock, or is no id.
    """
    if isinstance(provision, str):
        held = corpus.get(provision)
        if held is None:
            return _format_missing(provision, corpus, short)
        provision = held
    instrument = provision.instrument
    if provision.article is None:
        return _note_labels(corpus, short)[provision.id]
    return _title(instrument, corpus, short) + provision.label.removeprefix(f"《{instrument.title}》")


def _title(instrument: Instrument, corpus: Stock, short: bool) -> str:
    same = [i for i in corpus.instruments.values() if family(i.title) == family(instrument.title)]
    years = version_years(instrument)
    ended = instrument.effective_to is not None and len(same) > 1
    year = f"（{years[0]}年）" if ended and years else ""
    if short:
        for name in instrument.short_titles:
            if set(instruments_named(name, corpus.instruments.values())) <= set(same):
                return name + year
    return f"《{instrument.title}》{year}"


def _format_missing(written: str, corpus: Stock, short: bool) -> str:
    instrument_id, _, rest = written.partition("#")
    instrument = corpus.instruments.get(instrument_id)
    numbers = re.fullmatch(r"(\d+(?:-\d+)?)(?:\.(\d+))?(?:\.(\d+))?", rest)
    if instrument is None or (rest and not numbers):
        raise KnowledgeError(f"“{written}”不是知识库里的条款编号，请核对。")
    title = _title(instrument, corpus, short)
    if not numbers:
        return title
    article, paragraph, item = numbers[1], numbers[2], numbers[3]
    shown = int(paragraph) if paragraph and not (item and paragraph == "1") else None
    return title + write_address(article, shown, int(item) if item else None)
