"""What an instrument tells of itself, and what changed from an old version to the one in force.

Comes in: ``knowledge/history.yaml`` and the corpus; for an answer, the instruments that a question names. Goes out:
:class:`Change` rows, lines of an answer. Raises ``KnowledgeError`` with file and line. Days in force and the number
of articles stand with the instruments and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from assistant.errors import KnowledgeError
from assistant.law.asking import pairs, share
from assistant.law.corpus import Corpus
from assistant.law.schema import InstrumentId, Reference, Strict, Text, problem_at, read_yaml, try_yaml
from assistant.model import Confidence, Instrument, Line

_FILE = "history.yaml"
_ABOUT = 0.34  # of the words asked about that a change has to hold


@dataclass(frozen=True)
class Part:
    """One thing that changed, in our own words, and the provisions in force that show it."""

    words: str
    provisions: tuple[str, ...]
    confidence: Confidence


@dataclass(frozen=True)
class Change:
    """What is new since ``old``."""

    old: Instrument
    new: Instrument
    parts: tuple[Part, ...]


class _Part(Strict):
    words: Text
    provisions: list[Reference]
    confidence: Confidence


class _Row(Strict):
    old: InstrumentId
    new: InstrumentId
    changes: list[_Part]


class _File(Strict):
    history: list[_Row]


def load_history(folder: Path, corpus: Corpus) -> tuple[Change, ...]:
    """The rows in the order of the file.

    Raises:
        KnowledgeError: the first mistake: an instrument or a provision that is not in stock.
    """
    if problems := check_history(folder, corpus):
        raise problems[0]
    return tuple(
        Change(
            corpus.instruments[row.old],
            corpus.instruments[row.new],
            tuple(Part(p.words, tuple(p.provisions), p.confidence) for p in row.changes),
        )
        for row in read_yaml(folder / _FILE, _File, folder).history
    )


def check_history(folder: Path, corpus: Corpus) -> list[KnowledgeError]:
    """Everything wrong with the file; empty when all is well."""
    path = folder / _FILE
    problems: list[KnowledgeError] = []
    file = try_yaml(path, _File, folder, problems)
    for index, row in enumerate(file.history if file else ()):
        for name in ("old", "new"):
            if getattr(row, name) not in corpus.instruments:
                message = f"没有法规“{getattr(row, name)}”，请改正编号。"
                problems.append(problem_at(path, folder, ("history", index, name), message))
        for place, part in enumerate(row.changes):
            for number, id in enumerate(part.provisions):
                if corpus.get(id) is None:
                    message = f"知识库里没有条款“{id}”，请改正或删去。"
                    loc = ("history", index, "changes", place, "provisions", number)
                    problems.append(problem_at(path, folder, loc, message))
    return problems


# ------------------------------------------------------------------ lines of an answer


@dataclass(frozen=True)
class Chronicle:
    """Tells of instruments: when passed, since when in force, how long, in whose place, what changed."""

    corpus: Corpus
    changes: Sequence[Change]
    words: Mapping[str, Any] = field(repr=False)  # short phrases of the answers

    def versions(self, chosen: Instrument, day: date, issuer: bool = False) -> tuple[Line, ...]:
        """The instrument a question names; where it is an old version, the one in force first.

        Args:
            issuer: whether to say who issued it, too.
        """
        current = self.current(chosen)
        before = chosen if chosen.id != current.id else self._before(current)
        words = self._told(current, day)
        if before:
            words += self.words["replaced"].format(version=self._version(before))
        elif current.before:
            words += self.words["replaced"].format(version=current.before)
        if issuer:
            words += self.words["issuer"].format(issuer=current.issuer)
        basis = self._basis(current)
        source = self.corpus.provision(basis[0]).label if current.caution and basis else ""
        lines = [Line(words, basis, source=source)]  # what has to be told with it goes with the source
        if chosen.id != current.id and chosen.adopted:
            lines.append(Line(self._told(chosen, day), head=self.words["version"]))
        return tuple(lines)

    def current(self, instrument: Instrument) -> Instrument:
        """The version that has taken the place of this one, or itself."""
        while instrument.replaced_by and instrument.replaced_by in self.corpus.instruments:
            instrument = self.corpus.instruments[instrument.replaced_by]
        return instrument

    def changed(self, chosen: Instrument, about: frozenset[str] = frozenset()) -> tuple[Line, ...]:
        """What changed with the version in force; with ``about`` only what has to do with it."""
        current = self.current(chosen)
        rows = [
            c
            for c in self.changes
            if c.new.id == current.id and (c.old.title == chosen.title or chosen.id in (c.old.id, current.id))
        ]
        parts = [p for row in rows[:1] for p in row.parts]
        near = [p for p in parts if share(about, pairs(p.words)) >= _ABOUT] if about else parts
        return (self._parts(near),) if near else ()

    def changed_anywhere(self, about: frozenset[str], provision: str = "") -> tuple[Line, ...]:
        """The one change that a question which names no instrument is about; it holds most of its words."""
        found = [
            (
                share(about, pairs(part.words)) + (0.5 if provision and provision in part.provisions else 0),
                row,
                part,
            )
            for row in self.changes
            for part in row.parts
        ]
        best = max((score for score, _, _ in found), default=0.0)
        if best < 2 * _ABOUT:
            return ()
        row, part = next((row, part) for score, row, part in found if score == best)
        line = self._parts([part])
        return (Line(line.words, line.provisions, head=f"《{row.new.title}》"),)

    def _parts(self, parts: Sequence[Part]) -> Line:
        ids = tuple(dict.fromkeys(id for p in parts for id in p.provisions))
        marked = any(self.corpus.provision(id).confidence == "memory" for id in ids)  # the marks will say it
        doubt = "" if marked else self.words["doubtful"]
        said = "；".join(p.words + (doubt if p.confidence == "memory" else "") for p in parts)
        return Line(said, ids, self.words["changed"])

    def _before(self, current: Instrument) -> Instrument | None:
        """The version whose place it took: of the same matter first, the latest of them."""
        old = [i for i in self.corpus.instruments.values() if i.replaced_by == current.id]
        return max(old, key=lambda i: (i.title == current.title, i.effective_to or date.min), default=None)

    def _told(self, instrument: Instrument, day: date) -> str:
        """《…》 2019年8月25日印发，2019年9月1日起施行（共27条）."""
        ended = instrument.effective_to is not None and instrument.effective_to < day
        state = "current" if instrument.in_force(day) else "ended" if ended else "coming"
        if instrument.only_if_named:  # an old rule beside newer ones is not called the one in force
            state = "ended"
        begun = instrument.begun
        if not begun and instrument.effective_from:
            begun = self.words["begun"].format(day=_day(instrument.effective_from))
        until = self.words["until"].format(day=_day(instrument.effective_to)) if ended else ""
        said = "，".join(filter(None, (instrument.adopted, begun + self._extent(instrument), until)))
        return str(self.words[state].format(title=instrument.title, said=said))

    def _version(self, old: Instrument) -> str:
        """《…》（2016年，共13条），旧版到2019年8月31日为止."""
        years = old.adopted[:5] if old.adopted[:4].isdigit() else ""
        marks = "，".join(filter(None, (years, self._extent(old).strip("（）"))))
        until = self.words["old_until"].format(day=_day(old.effective_to)) if old.effective_to else ""
        return f"《{old.title}》{f'（{marks}）' if marks else ''}{f'，{until}' if until else ''}"

    def _extent(self, instrument: Instrument) -> str:
        extent = instrument.extent
        if not extent and instrument.article_count:
            extent = self.words["article"].format(n=instrument.article_count)
        return str(self.words["extent"].format(extent=extent)) if extent else ""

    def _basis(self, instrument: Instrument) -> tuple[str, ...]:
        """The provision on its first day, or else its first."""
        own = [p for p in self.corpus.provisions() if p.instrument.id == instrument.id]
        begun = [p for p in own if any(word in p.topic for word in self.words["begins"])]
        return tuple(p.id for p in (begun or own)[:1])


def _day(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""
