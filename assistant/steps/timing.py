"""Which version of a rule applies (时间效力): the day of the conduct and the day of handling choose it.

Comes in: when the matter happened, the day for which the law is read, the provisions relied on. Goes out: findings,
one for each rule that was not yet in force, or has since changed, when it happened. What follows from that is
said by the provision on transition of the rule itself (从旧兼从轻 or another); where the stock has none, it is left
open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from assistant.law.corpus import Corpus
from assistant.law.days import Days
from assistant.law.titles import family
from assistant.model import Finding, Instrument

STEP = "time"


def version_findings(
    conduct: Days | None, day: date, relied_on: Iterable[str], corpus: Corpus, words: Mapping[str, str]
) -> tuple[Finding, ...]:
    """A finding for each rule relied on that began after, or while, the matter happened.

    Args:
        relied_on: ids of the provisions that the verdict rests on.
        words: the wording of the reasons, by "before", "across", "older", "no_older", "no_rule".
    """
    if conduct is None:
        return ()
    instruments = {id: corpus.get(id) for id in relied_on}
    used = dict.fromkeys(p.instrument.id for p in instruments.values() if p and p.instrument.in_force(day))
    found = []
    for id in used:
        instrument = corpus.instruments[id]
        begun = instrument.effective_from
        if begun is None or begun > day or conduct.first >= begun:
            continue
        if not (instrument.transition or _older(instrument, conduct, corpus)):
            continue  # nothing is known of what applied before
        found.append(_finding(instrument, begun, conduct, corpus, words))
    return tuple(found)


def not_held(relied_on: Iterable[str], day: date, corpus: Corpus) -> tuple[str, ...]:
    """The versions that applied on a day and of which the stock holds nothing, in place of what the rules rest on.

    Empty where anything that the rules rest on was in force then.
    """
    held = [p.instrument for p in map(corpus.get, relied_on) if p]
    if any(instrument.in_force(day) for instrument in held):
        return ()
    families = {family(instrument.title) for instrument in held}
    older = [i for i in corpus.instruments.values() if family(i.title) in families and i.in_force(day)]
    return tuple(f"《{i.title}》（{_year(i)}）" for i in older)


def _finding(
    instrument: Instrument, begun: date, conduct: Days, corpus: Corpus, words: Mapping[str, str]
) -> Finding:
    across = conduct.last >= begun
    said = words["across" if across else "before"].format(
        title=instrument.title, begun=begun.isoformat(), conduct=conduct.words
    )
    older = _older(instrument, conduct, corpus)
    if older:
        said += words["older"].format(title=older.title, year=_year(older))
    else:
        said += words["no_older"]
    transition = corpus.get(instrument.transition or "")
    said += transition.digest.rstrip("。") if transition else words["no_rule"]
    return Finding(
        step=STEP,
        title=words["title"],
        status="unknown",
        reason=said,
        provisions=(transition.id,) if transition else (),
    )


def _older(instrument: Instrument, conduct: Days, corpus: Corpus) -> Instrument | None:
    """The version of the same title that was in force when it happened, as far as the stock knows its days."""
    for other in corpus.instruments.values():
        same = family(other.title) == family(instrument.title) and other.id != instrument.id
        if same and other.effective_to and other.in_force(conduct.first):
            return other
    return None


def _year(instrument: Instrument) -> str:
    begun = instrument.effective_from
    return f"{begun.year}年版" if begun else "旧版"
