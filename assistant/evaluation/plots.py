"""The plots of the report as SVG text. Without matplotlib there are none.

Comes in: tables, names in words. Goes out: ``<svg>`` elements to be put into the page; their text stays text.
Labels come from our own lists or are names of gold, which matplotlib writes escaped.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from assistant.evaluation.measures import BINS, LabelScore, Table

COLOUR, OTHER = "#2f6f9f", "#b3261e"


def available() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def confusion(
    table: Table, labels: Sequence[str], words: Mapping[str, Any], titles: Mapping[str, str]
) -> str:
    """Expected verdict against the one given."""
    columns = [*labels, *sorted({str(v) for v in table.values("scope")} - set(labels))]
    counts = np.zeros((len(labels), len(columns)), int)
    for wanted, given in zip(table.values("scope_gold"), table.values("scope"), strict=True):
        if wanted in labels:
            counts[labels.index(wanted), columns.index(str(given))] += 1
    figure, axes = _axes(1.6 + 0.85 * len(columns), 1.5 + 0.5 * len(labels))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(counts.shape):
        if counts[i, j]:
            axes.text(
                j,
                i,
                str(counts[i, j]),
                ha="center",
                va="center",
                color="white" if shares[i, j] > 0.55 else "black",
            )
    axes.set_xticks(range(len(columns)), [str(words.get(c, c)) for c in columns], rotation=30, ha="right")
    axes.set_yticks(range(len(labels)), [str(words.get(c, c)) for c in labels])
    axes.set_xlabel(titles["given"])
    axes.set_ylabel(titles["expected"])
    return _svg(figure, axes, titles["confusion"])


def calibration(table: Table, titles: Mapping[str, str]) -> str:
    """Share of right answers by confidence; the area of a dot is the number of answers."""
    said, right = table.numbers("confidence"), table.numbers("scope_right")
    known = ~np.isnan(said) & ~np.isnan(right)
    said, right = said[known], right[known]
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    bins = [n for n in range(BINS) if (place == n).any()]
    figure, axes = _axes(4.2, 3.6)
    axes.plot([0, 1], [0, 1], color="#9aa5ae", linewidth=1, linestyle="--")
    axes.scatter(
        [float(said[place == n].mean()) for n in bins],
        [float(right[place == n].mean()) for n in bins],
        s=[20 + 300 * float((place == n).mean()) for n in bins],
        color=COLOUR,
    )
    for n in bins:
        where = (float(said[place == n].mean()), float(right[place == n].mean()))
        axes.annotate(
            str(int((place == n).sum())), where, textcoords="offset points", xytext=(8, -4), fontsize=8
        )
    axes.set_xlim(0, 1.05)
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlabel(titles["confidence"])
    axes.set_ylabel(titles["accuracy"])
    return _svg(figure, axes, titles["calibration"])


def bars(scores: Sequence[LabelScore], words: Mapping[str, Any], title: str) -> str:
    """F1 of each label, and how often gold has it."""
    figure, axes = _axes(5.2, 1.1 + 0.32 * len(scores))
    last_first = list(scores)[::-1]
    axes.barh(range(len(last_first)), [one.f1 for one in last_first], color=COLOUR, height=0.65)
    names = [f"{words.get(one.label, one.label)}（{one.gold}）" for one in last_first]
    axes.set_yticks(range(len(names)), names)
    for place, one in enumerate(last_first):
        axes.text(one.f1 + 0.01, place, f"{one.f1:.2f}", va="center", fontsize=8)
    axes.set_xlim(0, 1.1)
    return _svg(figure, axes, title)


def turned(counts: Mapping[str, tuple[int, int]], titles: Mapping[str, str]) -> str:
    """Rows gained to the right, rows lost to the left."""
    figure, axes = _axes(5.6, 1.2 + 0.36 * len(counts))
    names = list(counts)[::-1]
    axes.barh(
        range(len(names)), [counts[n][0] for n in names], color=COLOUR, height=0.6, label=titles["gained"]
    )
    axes.barh(
        range(len(names)), [-counts[n][1] for n in names], color=OTHER, height=0.6, label=titles["lost"]
    )
    axes.set_yticks(range(len(names)), names)
    axes.axvline(0, color="#5b6670", linewidth=0.8)
    axes.legend(fontsize=8, frameon=False)
    return _svg(figure, axes, titles["turned"])


def _axes(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def _svg(figure: Any, axes: Any, title: str) -> str:
    from matplotlib import rc_context

    axes.set_title(title, fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    written = io.StringIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a font without Chinese only measures it: the reader's browser draws it
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "zeming",
    "font.family": ["Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK JP", "sans-serif"],
    "font.size": 9,
}
