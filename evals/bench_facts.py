"""How well facts are read: accuracy of identity and stage, precision and recall of the misuse signals.

Comes in: files of labelled situations (JSON lines with text, subject, responsibility, stage, misuse).
Goes out: a table on the screen, and with ``--wrong FACT`` the rows that were read differently.

    python -m evals.bench_facts FILE.jsonl … [--wrong subject]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.law.lexicon import load_lexicon
from assistant.law.vocabulary import load_vocabulary
from assistant.model import Fact
from assistant.settings import load_settings
from assistant.steps.facts import read_facts

STAGES = {"none": "未启动", "investigating": "调查中", "decided": "已作决定", "appealed": "已申诉"}
LEVELS = {
    "全面领导责任": ("主要负责人",),
    "主要领导责任": ("主要负责人", "分管负责人"),
    "重要领导责任": ("参与决策的班子成员",),
}
SIGNALS = {
    "批示即问责": ("note_as_ground", "opinion_as_ground"),
    "问下不问上": ("only_lower_punished", "leaders_untouched"),
    "戴帽问责": ("preset_measure",),
    "指标问责": ("quota",),
    "时限过短": ("short_time",),
    "重复问责": ("repeated",),
    "问责代替整改": ("instead_of_fix",),
    "问责虚化": ("too_light", "only_collective", "leaders_untouched"),
    "权责不对等": ("blame_without_power",),
    "株连式问责": ("by_association", "unrelated_listed"),
}
EXEMPTIONS = {
    "reform_trial": "第十七条第（一）项",
    "dissent_recorded": "第十七条第（二）项",
    "force_majeure": "第十七条第（三）项",
    "objected_to_superior": "第十七条第二款",
    "remedied": "第十八条第（一）项",
    "cooperated": "第十八条第（二）项",
}
NATURES = {"duty_failure": "leadership_failure", "own_violation": "direct_violation"}
CONSEQUENCES = {"severe": "严重", "minor": "轻微", "none": "无", "unknown": None}


def gold_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the labels of a row say about facts; ``None`` for a fact that should not be found."""
    gold: dict[str, Any] = {"subject": row["subject"], "stage": STAGES[row["stage"]]}
    gold["consequence"] = CONSEQUENCES[row["consequence"]]
    gold["post_level"] = LEVELS.get(row["responsibility"] or "")
    return gold


def flags_of(row: Mapping[str, Any]) -> dict[str, bool]:
    """For each signal, exemption and nature whether the labels give it."""
    flags = {name: name in row["misuse"] for name in SIGNALS}
    flags |= {f: any(label.endswith(end) for label in row["exemption"] + row["mitigation"])
              for f, end in EXEMPTIONS.items()}  # fmt: skip
    flags |= {fact: row["nature"] == nature for fact, nature in NATURES.items()}
    return flags | {stage: stage == STAGES[row["stage"]] for stage in STAGES.values()}


def read_flags(facts: Sequence[Fact]) -> dict[str, bool]:
    said = {fact.name for fact in facts if fact.value == "yes"}
    flags = {name: not said.isdisjoint(names) for name, names in SIGNALS.items()}
    flags |= {fact: fact in said for fact in (*EXEMPTIONS, *NATURES)}
    return flags | {stage: any(f.value == stage for f in facts) for stage in STAGES.values()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--wrong", help="show the rows in which this fact or signal was read differently")
    options = parser.parse_args()
    folder = load_settings().knowledge
    vocabulary = load_vocabulary(folder)
    lexicon = load_lexicon(folder, vocabulary)
    rows = [json.loads(line) for file in options.files for line in file.open(encoding="utf-8")]
    right: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    table: dict[str, Counter[str]] = {}
    started = time.perf_counter()
    for row in rows:
        facts = read_facts(row["text"], lexicon, vocabulary)
        values = {fact.name: fact.value for fact in facts}
        for name, gold in gold_of(row).items():
            if name == "post_level" and gold is None:
                continue
            seen[name] += 1
            ok = values.get(name) in gold if isinstance(gold, tuple) else values.get(name) == gold
            right[name] += ok
            if not ok and options.wrong == name:
                print(f"{gold} ≠ {values.get(name)} | {row.get('voice')} | {row['text']}")
        read = read_flags(facts)
        for name, wanted in flags_of(row).items():
            hit = {(True, True): "tp", (True, False): "fn", (False, True): "fp"}.get(
                (wanted, read[name]), "tn"
            )
            table.setdefault(name, Counter())[hit] += 1
            if options.wrong == name and hit in ("fp", "fn"):
                words = [
                    f.evidence for f in facts if f.name in SIGNALS.get(name, (name,)) and f.value == "yes"
                ]
                print(hit, words, row["text"])
    spent = (time.perf_counter() - started) / max(len(rows), 1)
    for name, count in seen.items():
        print(f"{name:24}{right[name] / count:.3f}  ({right[name]}/{count})")
    for name, c in table.items():
        precision = c["tp"] / ((c["tp"] + c["fp"]) or 1)
        recall = c["tp"] / ((c["tp"] + c["fn"]) or 1)
        print(
            f"{name:20}P {precision:.2f}  R {recall:.2f}  ({c['tp']} of {c['tp'] + c['fn']}, {c['fp']} false)"
        )
    print(f"{len(rows)} rows, {spent * 1000:.1f} ms each, {len(lexicon.patterns)} patterns")


if __name__ == "__main__":
    main()
