"""What the lexicon reads of situations, and of facts whose labels are only a scope.

Comes in: files of labelled situations (JSON lines with text, scope, items). Goes out: precision and recall
of each item of Article 7 over the rows that have one; for each fact below, the share of the rows of each
scope in which it was read. A share is no precision: many a story tells of a duty done without any such label.

    python -m evals.bench_lexicon FILE.jsonl …
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from assistant.law.lexicon import load_lexicon
from assistant.law.vocabulary import load_vocabulary
from assistant.settings import load_settings
from assistant.steps.facts import read_facts

Row = tuple[dict[str, Any], set[tuple[str, str]]]  # labels; (fact, value) as read

ITEMS = tuple(str(n) for n in range(1, 12))
SHARES = (
    ("ordinary_matter", "yes"),
    ("own_duty", "no"),
    ("own_duty", "yes"),
    ("duty_failure", "yes"),
    ("duty_done", "yes"),
    ("no_causation", "yes"),
    ("disputed", "yes"),
    ("own_violation", "yes"),
    ("own_violation", "no"),
    ("private_gain", "no"),
    ("clear_ban", "yes"),
    ("order_from_above", "yes"),
    ("order_plainly_illegal", "yes"),
    ("defied_repeated_orders", "yes"),
    ("obstructed", "yes"),
    ("cooperated", "yes"),
    ("remedied", "yes"),
)


def situations(rows: list[Row]) -> None:
    """One line for each item, with its number of rows; then how often at least one item is right."""
    met = [(set(map(str, row["items"])), {v for n, v in read if n == "situation"}) for row, read in rows]
    met = [(gold, found) for gold, found in met if gold]
    for item in ITEMS:
        right = sum(item in gold and item in found for gold, found in met)
        true, said = (sum(item in sets[k] for sets in met) for k in (0, 1))
        precision, recall = right / max(said, 1), right / max(true, 1)
        print(f"situation {item:>2}  precision {precision:.2f}  recall {recall:.2f}  ({true})")
    hit = sum(bool(gold & found) for gold, found in met) / max(len(met), 1)
    print(f"at least one item right: {hit:.2f} of {len(met)} rows")


def shares(rows: list[Row]) -> None:
    size = Counter(row["scope"] for row, _ in rows)
    for fact in SHARES:
        told = Counter(row["scope"] for row, read in rows if fact in read)
        print(f"{'='.join(fact):28}" + "  ".join(f"{s} {told[s] / size[s]:.2f}" for s in sorted(size)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    knowledge = load_settings().knowledge
    vocabulary = load_vocabulary(knowledge)
    lexicon = load_lexicon(knowledge, vocabulary)
    rows = []
    for path in parser.parse_args().files:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            rows.append((row, {(f.name, f.value) for f in read_facts(row["text"], lexicon, vocabulary)}))
    situations(rows)
    shares(rows)


if __name__ == "__main__":
    main()
