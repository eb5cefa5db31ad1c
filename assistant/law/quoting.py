"""The one sentence of a text that says what is asked and what its digest leaves out.

Comes in: the words of a provision, what an answer already says, what the question asks for. Goes out: a piece of the
text, word for word and short, or "". How much a pair of characters tells is worked out from the whole stock: what
stands everywhere tells nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from assistant.law.asking import pairs

LONGEST = 120  # characters of a quote
_SENTENCE = re.compile(r"[^。\n]+[。\n]?")
_PART = re.compile(r"[^；，]+[；，]?")
_ITEM = re.compile(r"（[一二三四五六七八九十]+）")

Extra = Callable[[str], bool]  # whether a sentence has the number, the body or the like that is asked for


def weights(texts: Iterable[str]) -> Mapping[str, float]:
    """What each pair of characters tells, 0 for what stands in every text.

    >>> told = weights(["公务员辞职", "公务员辞退", "公务员回避"])
    >>> told["公务"], told["辞职"] > 1
    (0.0, True)
    """
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        total += 1
        counts.update(pairs(text))
    return {pair: math.log(total / count) for pair, count in counts.items()}


def quote(
    text: str,
    shown: str,
    wanted: frozenset[str],
    told: Mapping[str, float],
    enough: float,
    extra: Extra = lambda _: False,
) -> str:
    """The sentence that says most of what is asked, where it says something asked that is not shown yet.

    Args:
        shown: what the answer says already.
        wanted: what is asked, in pairs of characters.
        told: how much each pair tells; a pair nobody knows tells most.
        enough: how much a sentence has to tell beyond what is shown.
        extra: whether a sentence has something of the asked kind that is not shown; half of ``enough`` will do then.
    """
    most = max(told.values(), default=1.0)

    def worth(found: frozenset[str]) -> float:
        return sum(told.get(pair, most) for pair in found)

    known = pairs(shown)
    best, height = "", 0.0
    for piece in _pieces(text):
        there = wanted & pairs(piece)
        new, all_of_it = worth(there - known), worth(there)
        has = extra(piece)
        if new >= enough or (has and all_of_it >= enough):
            score = new + all_of_it / 2 + (enough if has else 0)
            if score > height:
                best, height = piece, score
    return _cut(best, lambda part: worth(wanted & pairs(part)))


def _pieces(text: str) -> Iterator[str]:
    """Sentences and items; what introduces a list goes with as many of its items as may be quoted."""
    found = [s.strip() for s in _SENTENCE.findall(text) if s.strip()]
    for i, sentence in enumerate(found):
        if not sentence.endswith("："):
            yield sentence
            continue
        row = sentence
        for item in found[i + 1 :]:
            if not _ITEM.match(item):
                break
            if len(row) + len(item) > LONGEST:
                row += "……"
                break
            row += item
        yield row


def _cut(sentence: str, worth: Callable[[str], float]) -> str:
    """A sentence no longer than may be quoted: the run of its parts that tells most, with marks where it was cut.

    >>> _cut("甲" * 100 + "，" + "乙" * 60 + "。", lambda part: part.count("乙"))[:4]
    '……乙乙'
    """
    sentence = sentence.rstrip("。；\n")
    if len(sentence) <= LONGEST:
        return sentence
    parts = _PART.findall(sentence)
    runs = [
        (i, j)
        for i in range(len(parts))
        for j in range(i + 1, len(parts) + 1)
        if len("".join(parts[i:j])) <= LONGEST
    ]
    if not runs:
        return ""
    i, j = max(runs, key=lambda run: (_sum(parts[slice(*run)], worth), run[0] - run[1]))
    words = "".join(parts[i:j]).rstrip("，；")
    return f"{'……' if i else ''}{words}{'……' if j < len(parts) else ''}"


def _sum(parts: Sequence[str], worth: Callable[[str], float]) -> float:
    return sum(map(worth, parts))
