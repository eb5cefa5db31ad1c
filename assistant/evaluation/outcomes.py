"""What came of each row: the answer against the gold, one column for each thing that is compared.

Comes in: sets with gold, recorded predictions, the law they are read by. Goes out: tables by part. A column is there
only where the gold is, so that rows of any richness may be mixed. No words of a row get into a table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

from assistant.evaluation.measures import CUTS
from assistant.evaluation.names import Names
from assistant.evaluation.records import Prediction
from assistant.evaluation.rows import GoldRow, GoldSet
from assistant.evaluation.sources import check_sources
from assistant.evaluation.systems import gold_facts
from assistant.law.citations import resolve
from assistant.law.corpus import Corpus
from assistant.law.rules import Table as RuleTable
from assistant.law.text import normalise, numbers
from assistant.law.vocabulary import Vocabulary

Columns = dict[str, Any]

OPEN = "needs_more_facts"
INSIDE = {"in": True, "in_but_exempt": True}
INSIDE |= dict.fromkeys(("out_direct_violation", "out_general_work", "out_subject"), False)
LISTED = "wenze-2019#7.1."


@dataclass(frozen=True)
class Judge:
    """What gold labels are read by: corpus, vocabulary, the table of exemptions, synonyms, the day."""

    corpus: Corpus
    vocabulary: Vocabulary
    exemptions: RuleTable
    names: Names
    day: date

    def ids(self, labels: Iterable[str], day: date) -> tuple[list[str], list[str]]:
        """The provisions that labels name today, and the labels that name none that we hold."""
        found, unknown = [], []
        for label in labels:
            reference = resolve(str(label), self.corpus, day)
            id = reference.now or reference.provision_id
            if id and self.corpus.get(id):
                found.append(id)
            else:
                unknown.append(str(label))
        return found, unknown

    def tells_mitigation(self, gold: GoldSet) -> bool:
        """Whether a set has labels of mitigation at all; where it has none, their absence says nothing."""
        ours = self.grounds("mitigation")
        labels = {str(label) for row in gold.rows for label in row.gold.get("exemption") or ()}
        ids = self.ids(labels, self.day)[0]
        return any(covers(id, known) or covers(known, id) for known in ours for id in ids)

    def grounds(self, group: str) -> set[str]:
        """The provisions that the table of exemptions gives for a group ("exemption", "mitigation")."""
        rows = (row.then for row in self.exemptions.rows)
        return {str(then["provision"]) for then in rows if then.get("group") == group}

    # -------------------------------------------------------------- situations

    def case(self, row: GoldRow, answer: Mapping[str, Any]) -> Columns:
        """The columns of a situation."""
        gold, day = row.gold, row.day(self.day)
        made: Columns = {
            "elapsed_ms": answer.get("elapsed_ms"),
            "scope": answer.get("scope") or answer["kind"],
        }
        if gold.get("scope"):
            made |= self._verdict(gold["scope"], answer)
        for name in ("subject", "responsibility"):
            if gold.get(name):
                made[f"{name}_right"] = int(answer.get(name) == gold[name])
        made |= self._clauses(gold.get("clauses") or (), answer, day)
        if "exemption" in gold:
            made |= self._exemptions(gold["exemption"], answer, day)
        if (gold.get("routes") or gold.get("route")) and answer.get("routes") is not None:
            made |= self._routes(gold, answer)
        if "misuse_signals" in gold:
            made["signals_gold"] = sorted(self.names.signals_of(gold["misuse_signals"])[0])
            made["signals"] = sorted(set(answer.get("misuse_signals") or ()))
        if gold.get("facts") and answer.get("facts") is not None:
            made["facts_gold"] = sorted(f"{f.name}={f.value}" for f in gold_facts(gold["facts"]))
            made["facts"] = sorted({f"{f['name']}={f['value']}" for f in self.of_the_case(answer)})
        return made

    def of_the_case(self, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The facts of an answer that are about the situation, not about the question itself."""
        kinds = self.vocabulary.facts
        return [
            fact
            for fact in answer.get("facts") or ()
            if fact["name"] in kinds and kinds[fact["name"]].about != "question"
        ]

    def _verdict(self, gold: str, answer: Mapping[str, Any]) -> Columns:
        given = answer.get("scope")
        made: Columns = {"scope_gold": gold, "scope_right": int(given == gold)}
        if answer.get("confidence") is not None:
            made["confidence"] = min(1.0, max(0.0, float(answer["confidence"])))
        if gold == OPEN:
            made["asked_when_missing"] = int(bool(answer.get("missing_facts")))
        else:
            made["inout_right"] = int(INSIDE.get(str(given)) == INSIDE[gold])
            made["left_open"] = int(given == OPEN)
        return made

    def _clauses(self, labels: Sequence[str], answer: Mapping[str, Any], day: date) -> Columns:
        wanted, _ = self.ids(labels, day)
        if not wanted:
            return {}
        given = [str(c["id"]) for c in answer.get("clauses") or ()]
        ranks = [rank for rank, id in enumerate(given, 1) if any(covers(gold, id) for gold in wanted)]
        first = ranks[0] if ranks else None
        made: Columns = {
            "hit1": int(first == 1),
            "hit3": int(first is not None and first <= 3),
            "reciprocal": 1 / first if first else 0.0,
        }
        items = {id for id in wanted if id.startswith(LISTED)}
        if items:
            made["items_right"] = int(items == {id for id in given if id.startswith(LISTED)})
        return made

    def _exemptions(self, labels: Sequence[str], answer: Mapping[str, Any], day: date) -> Columns:
        wanted, _ = self.ids(labels, day)
        met = [str(e["id"]) for e in answer.get("exemptions") or () if e["status"] == "met"]
        made: Columns = {}
        for group in ("exemption", "mitigation"):
            ours = self.grounds(group)
            gold = [id for id in wanted if any(covers(id, known) or covers(known, id) for known in ours)]
            given = [next((g for g in gold if covers(g, id)), id) for id in met if id in ours]
            made[f"{group}_gold"], made[group] = sorted(set(gold)), sorted(set(given))
        made["exemption_right"] = int(made["exemption_gold"] == made["exemption"])
        return made

    def _routes(self, gold: Mapping[str, Any], answer: Mapping[str, Any]) -> Columns:
        given = {str(route["id"]) for route in answer.get("routes") or ()}
        groups = [[id] for id in gold.get("routes") or ()] or self.names.routes_of(gold.get("route") or "")[0]
        made: Columns = {}
        if groups:
            made["route_right"] = int(all(given & set(group) for group in groups))
        deadline = gold.get("deadline")
        if deadline:
            dates = {(str(r["id"]), r.get("deadline")) for r in answer.get("routes") or ()}
            made["deadline_right"] = int(
                all(pair in dates for pair in deadline.items())
                if isinstance(deadline, dict)
                else deadline in {day for _, day in dates}
            )
        return made

    # -------------------------------------------------------------- questions

    def quiz(self, row: GoldRow, answer: Mapping[str, Any]) -> Columns:
        """The columns of a knowledge question."""
        groups = row.gold.get("must_mention_any") or [[one] for one in row.gold["must_mention"]]
        said = str(answer.get("answer") or "")
        right = all(any(mentions(said, str(one)) for one in group) for group in groups)
        made: Columns = {"right": int(right), "elapsed_ms": answer.get("elapsed_ms")}
        wanted, _ = self.ids(row.gold.get("basis") or (), row.day(self.day))
        if wanted:
            cited = [str(c["id"]) for c in answer.get("citations") or ()]
            made["basis_right"] = int(
                any(covers(gold, id) or covers(id, gold) for gold in wanted for id in cited)
            )
        return made

    def abstain(self, row: GoldRow, answer: Mapping[str, Any]) -> Columns:
        """The columns of a row that should be declined, asked about, or answered."""
        expected = row.expected
        given = conduct(answer)
        right = int(given == expected or (expected == "answer" and given == "ask"))
        name = {"decline": "declined_right", "ask": "asked_right", "answer": "answered_right"}[expected]
        return {
            "expected": expected,
            "given": given,
            "kind": row.gold.get("kind"),
            "right": right,
            name: right,
            "elapsed_ms": answer.get("elapsed_ms"),
        }

    def sources(self, row: GoldRow, answer: Mapping[str, Any]) -> Columns:
        """The columns about the sources of any answer; none for a system that cites nothing."""
        found = check_sources(answer, self.corpus, row.day(self.day))
        if found.valid is None:
            return {}
        made: Columns = {"valid": int(found.valid)}
        for whole, part in (("cites", "cites_right"), ("marks", "marks_right"), ("said", "said_right"),
                            ("law", "law_cited")):  # fmt: skip
            if getattr(found, whole):
                made[whole], made[part] = getattr(found, whole), getattr(found, part)
        return made


def covers(gold: str, given: str) -> bool:
    """Whether a provision is the one of the gold, or a part of it: gold may name a whole article.

    >>> covers("wenze-2019#7", "wenze-2019#7.1.3"), covers("wenze-2019#7.1.1", "wenze-2019#7.1.10")
    (True, False)
    """
    return given == gold or given.startswith(f"{gold}.")


def mentions(answer: str, wanted: str) -> bool:
    """Whether an answer says something: the words are in it, and where there is a number, that number.

    >>> mentions("自收到之日起一个月内", "1个月"), mentions("12个月内", "2个月")
    (True, False)
    """
    said, words = normalise(answer), normalise(wanted)
    if not numbers(words):
        return words in said
    if not set(numbers(words)) <= set(numbers(said)):
        return False
    bare = "".join(c for c in words if not c.isdigit() and c not in "一二三四五六七八九十百两〇零半个")
    return bare in said


def conduct(answer: Mapping[str, Any]) -> str:
    """What an answer does: "decline", "ask" (the verdict waits for facts) or "answer"."""
    if answer.get("kind") not in ("scenario", "knowledge"):
        return "decline"
    return "ask" if answer.get("scope") == OPEN and answer.get("missing_facts") else "answer"


def searched(wanted: set[str], found: Sequence[str]) -> Columns:
    """The columns of one question to the retrieval. Recall@k: which share of what answers it is among the first k.

    >>> searched({"a", "b"}, ["x", "a"])["recall_5"], searched({"a"}, ["x", "a"])["reciprocal"]
    (0.5, 0.5)
    """
    hits = [id in wanted for id in found]
    made: Columns = {f"recall_{k}": round(sum(hits[:k]) / len(wanted), 4) for k in CUTS}
    made["hit_10"] = int(any(hits[:10]))
    made["reciprocal"] = round(next((1 / rank for rank, hit in enumerate(hits[:10], 1) if hit), 0.0), 4)
    best = _dcg([True] * min(10, len(wanted)))
    made["ndcg_10"] = round(_dcg(hits[:10]) / best, 4)
    return made


def _dcg(hits: Iterable[bool]) -> float:
    return sum(hit / math.log2(rank + 1) for rank, hit in enumerate(hits, start=1))


# ------------------------------------------------------------------ pairs of rows


def pairs_of(gold: GoldSet, answers: Mapping[str, Prediction]) -> dict[str, Columns]:
    """By group or pair, what its members have in common and what not; groups with one answered row are left out."""
    key = "group" if gold.kind == "reworded" else "pair"
    members: dict[str, list[GoldRow]] = {}
    for row in gold.rows:
        if row.id in answers:
            members.setdefault(str(row.gold[key]), []).append(row)
    found: dict[str, Columns] = {}
    for name, rows in members.items():
        pairs = list(combinations(rows, 2))
        if gold.kind == "contrast":
            pairs = [(a, b) for a, b in pairs if a.gold["scope"] != b.gold["scope"]]
        if not pairs:
            continue
        given = {row.id: answers[row.id].answer.get("scope") for row in rows}
        same = sum(given[a.id] == given[b.id] for a, b in pairs)
        found[name] = {"pairs": len(pairs), "same": same, "changed": len(pairs) - same}
        if gold.kind == "contrast":
            found[name]["both_right"] = sum(
                given[a.id] == a.gold["scope"] and given[b.id] == b.gold["scope"] for a, b in pairs
            )
    return found


# ------------------------------------------------------------------ what could not be counted


def uncounted(sets: Sequence[GoldSet], judge: Judge) -> list[str]:
    """Sentences about gold labels that stand for nothing of ours and are left out of the count."""
    told: dict[str, int] = {}
    for gold in sets:
        for row in gold.rows:
            day = row.day(judge.day)
            for field in ("clauses", "exemption", "basis"):
                for label in judge.ids(row.gold.get(field) or (), day)[1]:
                    _count(told, f"{gold.name} 的 {field}：知识库里没有“{label}”")
            for name in judge.names.signals_of(row.gold.get("misuse_signals") or ())[1]:
                _count(told, f"{gold.name} 的 misuse_signals：没有与“{name}”对应的信号")
            if not row.gold.get("routes"):
                for name in judge.names.routes_of(row.gold.get("route") or "")[1]:
                    _count(told, f"{gold.name} 的 route：没有与“{name}”对应的途径")
    return [f"{words}（{times} 处），不计分" for words, times in told.items()]


def _count(told: dict[str, int], words: str) -> None:
    told[words] = told.get(words, 0) + 1
