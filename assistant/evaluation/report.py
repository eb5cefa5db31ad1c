"""The report of a run: one HTML file, Markdown, and lines for the screen. Nothing is computed here but what is shown.

Comes in: the outcome, the folder of wordings. Goes out: ``report.html`` and ``report.md``. Texts of rows are data: they
are escaped wherever they are shown. Raises ``KnowledgeError`` where a template is missing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from assistant.errors import KnowledgeError
from assistant.evaluation import plots, ways_report
from assistant.evaluation.baseline import Change, Comparison
from assistant.evaluation.diagnosis import Wrong
from assistant.evaluation.measures import OF_PART, Figure, LabelScore, Measure, Table, label_scores
from assistant.evaluation.rows import SCOPES
from assistant.evaluation.running import Outcome, write_text
from assistant.evaluation.scoring import CASES, INDEXED, Key
from assistant.evaluation.systems import PRODUCT
from assistant.prompts import escape_markdown

FOLDER = "evaluation"
STAGE_ORDER = ("first", "after", "rules")
LINES = ("scope", "clauses", "exemption", "route", "deadline", "signals")


def write_report(outcome: Outcome, prompts: Path) -> list[str]:
    """Write both files; sentences about what could not be shown come back."""
    words = _wording(prompts)
    drawn = plots.available()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    shown = _shown(outcome, words, drawn)
    if not drawn:
        shown["notes"] = [*shown["notes"], words["no_plots"]]
    write_text(outcome.plan.out / "report.html", _template(prompts, "report.html.j2").render(shown))
    write_text(outcome.plan.out / "report.md", _template(prompts, "report.md.j2").render(shown))
    return [] if drawn else [str(words["no_plots"])]


def summary_lines(outcome: Outcome, prompts: Path, dropped: bool = False) -> list[str]:
    """The main figures of the product, a line each; with ``dropped`` only the measures that dropped beyond noise."""
    words = _wording(prompts)
    if dropped:
        return _dropped(outcome.comparison, words) if outcome.comparison else []
    lines = []
    for key, made in outcome.scores.figures.items():
        if key.system != PRODUCT:
            continue
        main = [m for m in _measures(key.part) if m.main and m.key in made]
        told = "，".join(f"{words['measures'][m.key]} {_value(made[m.key], m)}" for m in main)
        if told:
            lines.append(f"{key.group}·{words['parts'][key.part]}·{words['stages'][key.stage]}：{told}")
    return lines + (ways_report.lines(outcome.helped, words) if outcome.helped else [])


# ------------------------------------------------------------------ what the templates get


def _shown(outcome: Outcome, words: Mapping[str, Any], drawn: bool) -> dict[str, Any]:
    steps = Counter(w.step for w in outcome.wrong if "scope" in w.what or "clauses" in w.what)
    return {
        "day": outcome.plan.day.isoformat(),
        "sets": [
            {"name": s.name, "folder": s.folder, "kind": s.kind, "rows": len(s.rows)} for s in outcome.sets
        ],
        "parts": words["parts"],
        "notes": list(outcome.notes),
        "comparison": _comparison(outcome.comparison, words, drawn) if outcome.comparison else None,
        "groups": _groups(outcome, words, drawn),
        "model": ways_report.shown(outcome.helped, words, OF_PART) if outcome.helped else None,
        "memory": {words["systems"].get(name, name): mb for name, mb in outcome.scores.memory.items()},
        "steps": [(words["steps"].get(step, step), count) for step, count in steps.most_common()],
        "wrong": [_wrong(w, words) for w in outcome.wrong],
        "questions": [
            {
                "set": m.set,
                "row": m.row,
                "text": m.text,
                "text_md": escape_markdown(m.text),
                "expected": words["conduct"].get(m.expected, m.expected),
                "expected_md": escape_markdown(words["conduct"].get(m.expected, m.expected)),
                "given": m.given,
            }
            for m in outcome.missed
        ],
    }


def _groups(outcome: Outcome, words: Mapping[str, Any], drawn: bool) -> list[dict[str, Any]]:
    groups: dict[str, dict[str, list[Key]]] = {}
    for key in outcome.scores.tables:
        groups.setdefault(key.group, {}).setdefault(key.part, []).append(key)
    order = list(words["parts"])
    return [
        {
            "title": group,
            "parts": [_part(part, parts[part], outcome, words, drawn) for part in order if part in parts],
        }
        for group, parts in groups.items()
    ]


def _part(
    part: str, keys: Sequence[Key], outcome: Outcome, words: Mapping[str, Any], drawn: bool
) -> dict[str, Any]:
    ours = [k for k in keys if k.system == PRODUCT]
    ordered = sorted(ours, key=lambda k: STAGE_ORDER.index(k.stage)) + [
        k for k in keys if k.system != PRODUCT
    ]
    figures = outcome.scores.figures
    rows = []
    for measure in _measures(part):
        found = [figures[key].get(measure.key) for key in ordered]
        if any(found):
            rows.append(
                {
                    "name": words["measures"][measure.key],
                    "about": words["about"].get(measure.key, ""),
                    "figures": [_cell(one, measure) for one in found],
                    "cells": [_text(one, measure) for one in found],
                }
            )
    first = next((outcome.scores.tables[k] for k in ours if k.stage == "first"), None)
    return {
        "title": words["parts"][part],
        "columns": [_column(key, words) for key in ordered],
        "rows": rows,
        "plots": _plots(part, first, words) if drawn and first else [],
        "labels": _labels(first, words) if first else [],
    }


def _plots(part: str, table: Table, words: Mapping[str, Any]) -> list[Markup]:
    """Our own SVG is the only markup that gets into the page as it is."""
    if part not in CASES or not any(table.values("scope_gold")):
        return []
    titles = words["plots"]
    judged = _judged(table)
    drawn = [
        plots.confusion(
            judged, [s for s in SCOPES if s in judged.values("scope_gold")], words["scopes"], titles
        ),
        plots.calibration(judged, titles),
        plots.bars(_of_scopes(judged), words["scopes"], titles["labels"]),
    ]
    if signals := label_scores(table, "signals_gold", "signals"):
        drawn.append(plots.bars(signals, {}, titles["signals"]))
    return [Markup(svg) for svg in drawn]  # noqa: S704 - made by matplotlib, which escapes its texts


def _judged(table: Table) -> Table:
    return Table({id: row for id, row in table.rows.items() if row.get("scope_gold")})


def _of_scopes(table: Table) -> list[LabelScore]:
    found = {one.label: one for one in label_scores(table, "scope_gold", "scope")}
    return [found[label] for label in SCOPES if label in found]


def _labels(table: Table, words: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Precision and recall of each verdict, signal, fact, and of each kind of thing to be declined."""
    titles = words["labels"]
    judged = _judged(table)
    facts = label_scores(table, "facts_gold", "facts")
    tables = [
        (titles["scopes"], [(str(words["scopes"][s.label]), s) for s in _of_scopes(judged)]),
        (titles["signals"], [(s.label, s) for s in label_scores(table, "signals_gold", "signals")]),
        (titles["facts"], [(s.label, s) for s in facts]),
    ]
    shown = [
        {
            "title": title,
            "rows": [
                {
                    "name": name,
                    "gold": one.gold,
                    "given": one.given,
                    "precision": _share(one.precision),
                    "recall": _share(one.recall),
                    "f1": _share(one.f1),
                }
                for name, one in scores
            ],
        }
        for title, scores in tables
        if scores
    ]
    kinds: dict[str, list[int]] = {}
    for row in table.rows.values():
        if row.get("kind"):
            kinds.setdefault(str(row["kind"]), []).append(int(row["right"]))
    if kinds:
        shown.append(
            {
                "title": titles["kinds"],
                "rows": [
                    {
                        "name": words["kinds"].get(kind, kind),
                        "gold": len(right),
                        "given": "",
                        "precision": "",
                        "recall": _share(sum(right) / len(right)),
                        "f1": "",
                    }
                    for kind, right in sorted(kinds.items())
                ],
            }
        )
    return shown


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


def _comparison(made: Comparison, words: Mapping[str, Any], drawn: bool) -> dict[str, Any]:
    counts: dict[str, tuple[int, int]] = {}
    for turn in made.turned:
        name = f"{_place(turn.key, words)}·{words['what'][turn.what]}"
        gained, lost = counts.get(name, (0, 0))
        counts[name] = (gained + turn.gained, lost + (not turn.gained))
    svg = [Markup(plots.turned(counts, words["plots"]))] if drawn and counts else []  # noqa: S704 - as above
    return {
        "name": made.name,
        "dropped": _dropped(made, words),
        "gained": sum(t.gained for t in made.turned),
        "lost": sum(not t.gained for t in made.turned),
        "regold": made.regold,
        "plots": svg,
        "changes": [
            {
                "part": _place(c.key, words),
                "measure": words["measures"][c.measure],
                "difference": f"{c.difference.value:+.3f}",
                "interval": f"{c.difference.low:+.3f} 到 {c.difference.high:+.3f}，n={c.difference.rows}",
                "dropped": c.main and c.dropped,
            }
            for c in made.changes
            if c.difference.value or c.main
        ],
        "turned": [
            {
                "row": t.row,
                "what": words["what"][t.what],
                "part": _place(t.key, words),
                "gained": t.gained,
            }
            for t in made.turned
        ],
    }


def _dropped(made: Comparison, words: Mapping[str, Any]) -> list[str]:
    return [_change(change, words) for change in made.dropped]


def _change(change: Change, words: Mapping[str, Any]) -> str:
    d = change.difference
    name = words["measures"][change.measure]
    return f"{_place(change.key, words)}的{name}（{d.value:+.3f}，区间 {d.low:+.3f} 到 {d.high:+.3f}）"


def _wrong(wrong: Wrong, words: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "set": wrong.set,
        "row": wrong.row,
        "text": wrong.text,
        "text_md": escape_markdown(wrong.text),
        "what": "、".join(words["what"][name] for name in wrong.what),
        "step": words["steps"].get(wrong.step, wrong.step),
        "lines": [
            {
                "name": words["what"][name],
                "expected": wrong.expected.get(name, "") or "—",
                "given": wrong.given.get(name, "") or "—",
                "wrong": name in wrong.what,
            }
            for name in LINES
        ],
        "steps": [
            {
                "name": words["steps"].get(s.step, s.step),
                "expected": s.expected,
                "given": s.given,
                "differs": s.differs,
            }
            for s in wrong.steps
        ],
        "facts": [
            {
                "label": f.label,
                "gold": f.gold or "（没有说）",
                "read": f.read or "（没有读出）",
                "evidence": f.evidence,
                "evidence_md": escape_markdown(f.evidence),
            }
            for f in wrong.facts
        ],
    }


# ------------------------------------------------------------------ words


def _measures(part: str) -> tuple[Measure, ...]:
    return OF_PART["questions" if part == INDEXED else part]


def _column(key: Key, words: Mapping[str, Any]) -> str:
    name = str(words["systems"].get(key.system, key.system))
    return f"{name}：{words['stages'][key.stage]}" if key.system == PRODUCT else name


def _place(key: Key, words: Mapping[str, Any]) -> str:
    return f"{key.group}·{words['parts'][key.part]}·{words['stages'][key.stage]}"


def _value(figure: Figure, measure: Measure) -> str:
    return f"{figure.value:.0f}" if measure.unit == "ms" else f"{figure.value:.3f}"


def _cell(figure: Figure | None, measure: Measure) -> dict[str, Any] | None:
    if figure is None:
        return None
    digits = 0 if measure.unit == "ms" else 3
    return {
        "value": _value(figure, measure),
        "interval": f"{figure.low:.{digits}f}–{figure.high:.{digits}f}",
        "rows": figure.rows,
    }


def _text(figure: Figure | None, measure: Measure) -> str:
    cell = _cell(figure, measure)
    return f"{cell['value']}（{cell['interval']}，n={cell['rows']}）" if cell else "—"


def _wording(prompts: Path) -> Mapping[str, Any]:
    try:
        loaded: Mapping[str, Any] = yaml.safe_load((prompts / FOLDER / "wording.yaml").read_text("utf-8"))
        return loaded
    except (OSError, yaml.YAMLError) as error:
        raise KnowledgeError("措辞文件读不了，请恢复它。", f"prompts/{FOLDER}/wording.yaml") from error


def _template(prompts: Path, name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(prompts / FOLDER),
        undefined=jinja2.StrictUndefined,
        autoescape=".html" in name,  # noqa: S701 - markdown is escaped by escape_markdown
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(name)
    except (jinja2.TemplateNotFound, jinja2.TemplateSyntaxError) as error:
        raise KnowledgeError("模板读不了，请恢复它。", f"prompts/{FOLDER}/{name}") from error
