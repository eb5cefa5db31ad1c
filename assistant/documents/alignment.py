"""Which piece of an old text became which piece of a new one, told by their words and not by their numbers.

Comes in: two lists of texts (articles, or the paragraphs and items of one). Goes out: pairs of positions.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import log

from assistant.law.text import normalise

Pair = tuple[int | None, int | None]  # positions in the old and in the new list; None: there is none

_OUT_OF_ORDER = 0.6  # what was moved elsewhere has to be surer: short texts resemble one another
_SHORT = 12  # bigrams; a text shorter than this is too easily part of another
_CONTAINED = 0.75  # what being part of the other text counts, beside being the same length


def pair_texts(old: Sequence[str], new: Sequence[str], least: float = 0.3) -> tuple[Pair, ...]:
    """Every position of both lists once: paired, or alone where it was added or removed.

    Order counts: of all ways to pair texts without crossing, the one with most in common is taken, and only what is
    left over may be paired across it. Pairs are in the order of the new list; what was removed follows what it
    followed in the old one. ``least`` is the likeness (0..1) below which two texts are never the same piece.

    >>> pair_texts(['甲应当报告。', '乙应当回避。'], ['总的要求。', '甲应当及时报告。', '乙应当回避。'])
    ((None, 0), (0, 1), (1, 2))
    >>> pair_texts(['甲应当报告。', '乙应当回避。'], ['乙应当回避。'])
    ((0, None), (1, 0))
    """
    one, other = [normalise(text) for text in old], [normalise(text) for text in new]
    anchors, elsewhere = _identical(one, other)
    partner = dict(anchors + elsewhere)
    left = [i for i in range(len(one)) if i not in partner]
    taken = set(partner.values())
    right = [j for j in range(len(other)) if j not in taken]
    likeness = {
        places: alike for places, alike in _likeness(one, other, left, right).items() if alike >= least
    }
    for rows, columns in _between(anchors, left, right):
        partner |= _in_order(rows, columns, likeness, least)
    taken = set(partner.values())
    for (i, j), alike in sorted(likeness.items(), key=lambda entry: (-entry[1], entry[0])):
        if alike >= _OUT_OF_ORDER and i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    return _in_reading_order(len(old), len(new), partner)


def _identical(old: Sequence[str], new: Sequence[str]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Texts that stand word for word and once in both: those in the same order, and the others.

    An amendment leaves most articles as they were; what they are need not be worked out.
    """
    before, after = Counter(old), Counter(new)
    place = {text: j for j, text in enumerate(new)}
    same = [(i, place[text]) for i, text in enumerate(old) if text and before[text] == after[text] == 1]
    ends: list[int] = []  # the smallest end of a run of each length
    at: list[int] = []  # which pair that end is
    before_it: list[int] = []  # the pair in front of each pair in its run
    for n, (_, j) in enumerate(same):
        length = bisect_left(ends, j)
        before_it.append(at[length - 1] if length else -1)
        ends[length : length + 1], at[length : length + 1] = [j], [n]
    kept, n = set(), at[-1] if at else -1
    while n >= 0:
        kept.add(n)
        n = before_it[n]
    in_order = [pair for n, pair in enumerate(same) if n in kept]
    return in_order, [pair for n, pair in enumerate(same) if n not in kept]


def _between(
    anchors: Sequence[tuple[int, int]], left: Sequence[int], right: Sequence[int]
) -> Iterator[tuple[list[int], list[int]]]:
    """The positions that are left, cut where the anchors stand: pairs of one piece do not cross an anchor."""
    rows, columns = [i for i, _ in anchors], [j for _, j in anchors]
    pieces: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for i in left:
        pieces[bisect_left(rows, i)][0].append(i)
    for j in right:
        pieces[bisect_left(columns, j)][1].append(j)
    return iter(pieces.values())


def _grams(text: str) -> Counter[str]:
    return Counter(text[at : at + 2] for at in range(max(1, len(text) - 1)))


def _likeness(
    old: Sequence[str], new: Sequence[str], left: Sequence[int], right: Sequence[int]
) -> dict[tuple[int, int], float]:
    """How much the words of two texts have in common, rare ones counting more; pairs with nothing are left out."""
    grams_of = [_grams(text) for text in (*old, *new)]
    frequency = Counter(gram for grams in grams_of for gram in grams)
    weight = {gram: log(1 + len(grams_of) / count) for gram, count in frequency.items()}
    whole = [sum(weight[gram] * count for gram, count in grams.items()) for grams in grams_of]
    holders: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for j in right:
        for gram, count in grams_of[len(old) + j].items():
            holders[gram].append((j, count))
    found: dict[tuple[int, int], float] = {}
    for i in left:
        grams = grams_of[i]
        common: dict[int, float] = defaultdict(float)
        for gram, count in grams.items():
            for j, other in holders.get(gram, ()):
                common[j] += weight[gram] * min(count, other)
        for j, shared in common.items():
            there = len(old) + j
            alike = 2 * shared / (whole[i] + whole[there])
            if min(grams.total(), grams_of[there].total()) >= _SHORT:
                alike = max(alike, _CONTAINED * shared / min(whole[i], whole[there]))
            found[i, j] = 1.0 if old[i] == new[j] else min(alike, 0.999)
    return found


def _in_order(
    old: Sequence[int], new: Sequence[int], likeness: Mapping[tuple[int, int], float], least: float
) -> dict[int, int]:
    """The pairs without crossing whose likeness adds up to most."""
    rows, columns = len(old), len(new)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        row, below = best[i], best[i + 1]
        for j in range(columns - 1, -1, -1):
            alike = likeness.get((old[i], new[j]))
            # what lies barely above the threshold is hardly worth a place: two such pairs never beat a sure one
            together = below[j + 1] + alike - least + 0.01 if alike is not None else 0.0
            row[j] = max(below[j], row[j + 1], together)
    partner: dict[int, int] = {}
    i = j = 0
    while i < rows and j < columns:
        alike = likeness.get((old[i], new[j]))
        if alike is not None and best[i][j] == best[i + 1][j + 1] + alike - least + 0.01:
            partner[old[i]] = new[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return partner


def _in_reading_order(rows: int, columns: int, partner: dict[int, int]) -> tuple[Pair, ...]:
    origin = {j: i for i, j in partner.items()}
    removed_after: dict[int, list[int]] = defaultdict(
        list
    )  # position in new (-1: before all) -> old positions
    last = -1
    for i in range(rows):
        if i in partner:
            last = partner[i]
        else:
            removed_after[last].append(i)
    ordered: list[Pair] = [(i, None) for i in removed_after[-1]]
    for j in range(columns):
        ordered.append((origin.get(j), j))
        ordered += ((i, None) for i in removed_after[j])
    return tuple(ordered)
