"""What the report says of the product without and with a language model. Only what is shown is worked out here.

Comes in: :class:`~assistant.evaluation.ways.Helped`, the wordings of the report. Goes out: what the templates get, and
lines for the screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assistant.evaluation.baseline import SHOWN
from assistant.evaluation.measures import Figure, Measure
from assistant.evaluation.scoring import Key
from assistant.evaluation.ways import Helped, Turn, Way
from assistant.prompts import escape_markdown

MOST_TURNS = 40  # that are listed for each way
BESIDE = ("facts_precision", "facts_recall")  # shown beside the main measures: what the model is asked for
ROWWISE = (*SHOWN, "inout_right", "route_right", "deadline_right")  # columns by which a row is right or wrong


def shown(
    helped: Helped, words: Mapping[str, Any], measures: Mapping[str, Sequence[Measure]]
) -> dict[str, Any]:
    """For the templates.

    Args:
        measures: of each part.
    """
    ours = words["model"]
    told = [_told(way, ours) for way in helped.ways]
    with_model, order = helped.ways[1:], list(words["parts"])
    return {
        "models": helped.models,
        "rows": helped.rows,
        "idle": any(way.cost.asked for way in with_model) and not any(way.cost.helped for way in with_model),
        "unasked": not any(way.cost.asked for way in with_model),
        "columns": [ours["ways"][way.system] for way in helped.ways],
        "costs": [
            {
                "name": name,
                "about": ours["about"].get(name, ""),
                "cells": [
                    line.format(**one) if n or name in ours["without"] else "—" for n, one in enumerate(told)
                ],
            }
            for name, line in ours["costs"].items()
        ],
        "parts": [
            part
            for key in sorted(helped.ways[0].figures, key=lambda k: (k.group, order.index(k.part)))
            if (part := _part(key, helped, words, measures[key.part]))
        ],
        "ways": [
            {
                "name": ours["ways"][way.system],
                "reasons": list(way.cost.reasons.items()),
                "turns": [_turn(turn, words) for turn in way.turns[:MOST_TURNS]],
                "more": max(0, len(way.turns) - MOST_TURNS),
                "count": len(way.turns),
            }
            for way in with_model
        ],
    }


def lines(helped: Helped, words: Mapping[str, Any]) -> list[str]:
    """One line for each way."""
    ours = words["model"]
    made = []
    for way in helped.ways:
        told = _told(way, ours)
        line = ours["line" if way.comparison is None else "line_with"].format(**told)
        if way.cost.asked and not way.cost.helped:
            line += ours["line_idle"].format(reasons=" ".join(way.cost.reasons) or ours["nothing"])
        made.append(line)
    return made


def _told(way: Way, ours: Mapping[str, Any]) -> dict[str, str]:
    """The figures of a way as they are shown."""
    cost, turns = way.cost, way.turns
    return {
        "way": ours["ways"][way.system],
        "right": _of(way.right, way.judged),
        "gained": str(sum(t.is_right and not t.was_right for t in turns)),
        "lost": str(sum(t.was_right and not t.is_right for t in turns)),
        "other": str(sum(t.was_right == t.is_right for t in turns)),
        "ms_median": _seconds(cost.ms_median),
        "ms_p95": _seconds(cost.ms_p95),
        "waited": f"{cost.waited:.0%}",
        "asked": _of(cost.asked, cost.answers),
        "helped": _of(cost.helped, cost.asked),
        "by_facts": str(cost.by_facts),
        "by_terms": str(cost.by_terms),
        "by_sentences": str(cost.by_sentences),
        "nothing": _of(cost.nothing, cost.asked),
        "useless": _of(cost.useless, cost.asked),
        "tokens": f"{cost.tokens:,}",
        "tokens_median": f"{cost.tokens_median:,}",
        "tokens_p95": f"{cost.tokens_p95:,}",
        "facts": _of(cost.facts_kept, cost.facts_proposed),
        "open": str(cost.facts_open),
        "sentences": _of(cost.sentences_kept, cost.sentences),
    }


def _of(part: int, whole: int) -> str:
    return f"{part}/{whole}（{part / whole:.0%}）" if whole else "—"


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.2f}" if ms < 10_000 else f"{ms / 1000:.1f}"


def _part(
    key: Key, helped: Helped, words: Mapping[str, Any], measures: Sequence[Measure]
) -> dict[str, Any] | None:
    """The main measures of a part, each way in a column; the ways with a model with what they changed."""
    rows = []
    for measure in measures:
        if not (measure.main or measure.key in BESIDE):
            continue
        cells = [_cell(way, helped.ways[0], key, measure, words["model"]) for way in helped.ways]
        if any(cells):
            name = words["measures"][measure.key]
            rows.append({"name": name, "about": words["about"].get(measure.key, ""), "cells": cells})
    title = words["model"]["part"].format(group=key.group, part=words["parts"][key.part])
    return {"title": title, "rows": rows} if rows else None


def _cell(
    way: Way, without: Way, key: Key, measure: Measure, ours: Mapping[str, Any]
) -> dict[str, str] | None:
    figure = way.figures.get(key, {}).get(measure.key)
    if figure is None:
        return None
    cell = {
        "value": f"{figure.value:.3f}",
        "interval": f"{figure.low:.3f}–{figure.high:.3f}",
        "rows": str(figure.rows),
        "change": "",
        "tone": "",
        "turned": "",
    }
    if way.comparison is None:
        return cell
    changed = [c.difference for c in way.comparison.changes if (c.key, c.measure) == (key, measure.key)]
    for one in changed:
        cell["change"] = _change(one, ours)
        cell["tone"] = "good" if one.low > 0 else "bad" if one.high < 0 else "soft"
    if measure.needs in ROWWISE:
        gained, lost = _turned(way, without, key, measure.needs)
        if gained or lost:
            cell["turned"] = ours["turned"].format(gained=gained, lost=lost)
    return cell


def _change(one: Figure, ours: Mapping[str, Any]) -> str:
    """The paired difference; in words where nothing differs in any row."""
    if one.value == one.low == one.high == 0:
        return str(ours["same"])
    verdict = "worse" if one.high < 0 else "better" if one.low > 0 else "unclear"
    told = {"change": f"{one.value:+.3f}", "low": f"{one.low:+.3f}", "high": f"{one.high:+.3f}"}
    return str(ours["change"][verdict].format(**told))


def _turned(way: Way, without: Way, key: Key, column: str) -> tuple[int, int]:
    """In how many rows a column of right and wrong became right, and wrong."""
    before = without.tables[key].rows
    pairs = [(before[id].get(column), row.get(column)) for id, row in way.tables[key].rows.items()]
    told = [(was, now) for was, now in pairs if was is not None and now is not None]
    return sum(now > was for was, now in told), sum(now < was for was, now in told)


def _turn(turn: Turn, words: Mapping[str, Any]) -> dict[str, str | bool]:
    labels = {**words["scopes"], **words["conduct"]}
    rights = words["model"]["right"]
    was, now = (
        labels.get(label, label) if label else rights[right]
        for label, right in ((turn.was, turn.was_right), (turn.now, turn.is_right))
    )
    kind = {(0, 1): "gained", (1, 0): "lost", (1, 1): "still_right"}.get(
        (turn.was_right, turn.is_right), "still_wrong"
    )
    return {
        "row": turn.row,
        "row_md": escape_markdown(turn.row),
        "kind": kind,
        "what": words["model"]["turns"][kind],
        "wanted": labels.get(turn.wanted, turn.wanted) if turn.wanted else "",
        "was": was,
        "now": now,
    }
