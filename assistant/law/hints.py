"""Which words a regex cannot do without, so that most of a lexicon is never compiled or tried.

Comes in: regexes. Goes out: for each the strings of which at least one stands in every text that it matches; none
when that cannot be told. A regex with a hint that is not in the text does not match; with no hint it is tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Needed = frozenset[str] | None
MOST = 60  # strings; longer lists cost more than they save


def hints_of(regexes: Iterable[str]) -> dict[str, list[str]]:
    """Regex -> the strings of which one must be there.

    >>> hints_of(['(?:压|拖)着不(?:办|查)', '[0-9]+', '问责(?!条例)'])
    {'(?:压|拖)着不(?:办|查)': ['着不'], '问责(?!条例)': ['问责']}
    """
    found = {regex: needed(regex) for regex in regexes}
    return {regex: sorted(strings) for regex, strings in found.items() if strings}


def needed(regex: str) -> Needed:
    """The strings of which one must be in a text that ``regex`` matches, or None.

    >>> sorted(needed('(?:公款|经费).{0,6}旅游') or ())
    ['旅游']
    >>> needed('(?:公款)?') is None
    True
    """
    try:
        # the parser of re itself: private, so that whatever it may become costs speed and never an answer
        tree = re._parser.parse(regex)  # type: ignore[attr-defined]
        return _of_sequence(tree)
    except Exception:
        return None


def _of_sequence(items: Any) -> Needed:
    """The best that one element of a sequence offers, runs of plain characters taken as one."""
    offers: list[Needed] = []
    run = ""
    for kind, value in items:
        if str(kind) == "LITERAL":
            run += chr(value)
            continue
        offers.append(frozenset({run}) if run else None)
        run = ""
        offers.append(_of_element(str(kind), value))
    offers.append(frozenset({run}) if run else None)
    known = [offer for offer in offers if offer]
    return max(known, key=lambda offer: (min(map(len, offer)), -len(offer)), default=None)


def _of_element(kind: str, value: Any) -> Needed:
    if kind == "SUBPATTERN":
        return _of_sequence(value[-1])
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return _of_sequence(value[2]) if value[0] else None
    if kind == "BRANCH":
        return _together([_of_sequence(branch) for branch in value[1]])
    if kind == "IN":
        return _together([frozenset({chr(c)}) if str(k) == "LITERAL" else None for k, c in value])
    return None


def _together(offers: list[Needed]) -> Needed:
    strings: set[str] = set()
    for offer in offers:
        if offer is None:
            return None
        strings |= offer
    return frozenset(strings) if len(strings) <= MOST else None
