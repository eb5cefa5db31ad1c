"""An answer made again from its receipt: what is the same, what differs, and what has changed since.

Comes in: a :class:`~assistant.receipts.Receipt`, and the parts as they are now. Goes out: :class:`Replay`. Raises
what the advisor raises, and ``ReceiptError`` for words that are not those of the receipt.

With its words the whole walk is made again. Without them, and where a language model had helped, the tables are run
over the facts that were recorded; then nothing that rests on the words themselves is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, Protocol

from assistant.advisor import Advisor
from assistant.errors import ReceiptError
from assistant.law.corpus import Corpus
from assistant.model import Advice, Fact, Question
from assistant.privacy import mask_private
from assistant.prompts import Prompts
from assistant.receipts import (
    CitedRow,
    Determined,
    FactRow,
    FindingRow,
    Receipt,
    RouteRow,
    Versions,
    clean,
    determined,
    file_name,
    finding,
    passed,
    receipt,
    route,
    sha256,
    written,
)
from assistant.steps.determination import determine
from assistant.steps.timing import STEP as TIMING

WORDING, REPORT = "receipts.yaml", "replay.md.j2"
SURE_WITHIN = 0.01  # how sure an answer is may differ by so much from machine to machine
Mode = Literal["words", "facts", "sources"]
Shown = Mapping[str, tuple[str, str]]  # what is compared -> how it is called, what is said of it


class Made(Protocol):
    """The parts that answer; see :class:`assistant.wiring.Parts`."""

    @property
    def advisor(self) -> Advisor: ...

    @property
    def corpus(self) -> Corpus: ...

    @property
    def versions(self) -> Versions: ...


@dataclass(frozen=True)
class Difference:
    """One thing that came out otherwise. ``changed``: what it is, before, now."""

    part: str
    label: str
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()
    reordered: bool = False


@dataclass(frozen=True)
class Change:
    """What is otherwise than when the receipt was made: a file, a document, the program; and one line that says so."""

    kind: Literal["program", "code", "knowledge", "prompts", "documents", "learned", "embedding"]
    name: str
    how: Literal["changed", "added", "removed"]
    words: str


@dataclass(frozen=True)
class Replay:
    """``alike`` and ``left_out`` are names of what was compared and came out the same, and of what was not compared."""

    mode: Mode
    alike: tuple[str, ...]
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        return not self.differences


@dataclass(frozen=True)
class Replayer:
    """Makes answers again; holds the wording of what it finds.

    Args:
        titles: of the documents of this installation, by id.
        ask: who answers, where it is not the advisor of the parts.
    """

    parts: Made
    prompts: Prompts
    titles: Mapping[str, str] = field(default_factory=dict)
    ask: Callable[[Question], Advice] | None = None

    def replay(self, old: Receipt, words: str | None = None) -> Replay:
        """Make the answer of a receipt again, and compare.

        Args:
            words: what was told, where the receipt was made without it.

        Raises:
            ReceiptError: the words are others.
            QuestionError: the advisor does not take the words.
        """
        text = old.question.text if words is None else _told(old, words)
        without = old.question.text is None
        compared = _Compared(self.prompts.wording(WORDING), self.prompts.wording("labels.yaml"), self.parts)
        then: dict[str, Shown]
        now: dict[str, Shown]
        mode: Mode
        if text is not None and not _read_with_help(old.assisted):
            mode, then = "words", compared.whole(old, without)
            again = self._again(old, text)
            now = compared.whole(again, without)
            if without and again.answer is not None:
                then["answer"] = {"": (old.answer_sha256, "")}
                now["answer"] = {"": (sha256(_noted(old, again.answer)), "")}
            if isinstance(old.assisted, dict) and old.assisted.get("sentences_kept"):
                then.pop("answer", None)  # worded by the model, which is not asked again
                now.pop("answer", None)
        elif old.determination:
            mode, then = "facts", compared.judged(old.determination, old.findings, old.routes)
            now = compared.judged(*self._judged(old))
        else:
            mode, then, now = "sources", {}, {}
        labels: Mapping[str, str] = compared.words["parts"]
        differences, alike, left_out = [], [], []
        for part, label in labels.items():
            if part == "words":
                before, difference = bool(old.citations), compared.cited(old.citations)
            else:
                before = part in then
                difference = compared.difference(part, then.get(part, {}), now.get(part, {}))
            if difference and (part in then or part in now or part == "words"):
                differences.append(difference)
            elif before:
                alike.append(label)
            elif part not in now:
                left_out.append(label)
        return Replay(
            mode=mode,
            alike=tuple(alike),
            differences=tuple(differences),
            left_out=tuple(left_out),
            changes=tuple(self._changes(old.versions, compared.words)),
        )

    def report(self, old: Receipt, found: Replay) -> str:
        """What was found, in plain words."""
        helped = old.assisted
        return self.prompts.render(
            REPORT,
            made=old.made.astimezone().strftime("%Y-%m-%d %H:%M"),
            day=old.question.day.isoformat(),
            mode=found.mode,
            model=_model(helped) or ("—" if helped is not None else ""),
            same=found.same,
            alike=found.alike,
            differences=found.differences,
            left_out=found.left_out,
            changes=[change.words for change in found.changes],
            sha=old.sha256[:16],
        )

    def answer(self, question: Question) -> Advice:
        """See :meth:`assistant.advisor.Advisor.ask`."""
        return (self.ask or self.parts.advisor.ask)(question)

    # ------------------------------------------------------------------ making it again

    def _again(self, old: Receipt, text: str) -> Receipt:
        asked = old.question
        question = Question(
            text,
            asked.day,
            received=asked.received,
            conduct=asked.conduct,
            confirmed=asked.confirmed,
            settled=frozenset(asked.settled),
        )
        advice = self.answer(question)
        if not advice.keep:  # the words count as a report now, of which nothing is kept
            advice = replace(advice, keep=True)
        made = receipt(advice, self.parts.corpus, self.parts.versions, old.made)
        return Receipt.model_validate(made)

    def _judged(self, old: Receipt) -> tuple[Determined, Sequence[FindingRow], Sequence[RouteRow]]:
        """What the tables make of the facts that were recorded."""
        known = self.parts.advisor.law.vocabulary.facts
        facts = [Fact(f.name, f.value, "", f.source, f.confidence) for f in old.facts if f.name in known]
        received = old.question.received or old.question.received_in_text
        settled = frozenset(old.question.settled)
        made = determine(facts, self.parts.advisor.law, old.question.day, received, settled=settled)
        return (
            Determined.model_validate(determined(made)),
            [FindingRow.model_validate(finding(f)) for f in made.findings],
            [RouteRow.model_validate(route(r)) for r in made.routes],
        )

    # ------------------------------------------------------------------ what has changed since

    def _changes(self, then: Versions, words: Mapping[str, Any]) -> Iterator[Change]:
        now, said = self.parts.versions, words["changes"]
        if then.program != now.program:
            sentence = said["program"].format(before=then.program, after=now.program)
            yield Change("program", now.program, "changed", sentence)
        elif then.code != now.code:
            yield Change("code", now.program, "changed", said["code"])
        for name, how in _changed(then.knowledge, now.knowledge):
            about = next(
                (a for start, a in words["folders"].items() if name.startswith(start)), words["other"]
            )
            sentence = said["knowledge"].format(how=words["how"][how], name=name, about=about)
            yield Change("knowledge", name, how, sentence)
        for name, how in _changed(then.prompts, now.prompts):
            sentence = said["prompts"].format(how=words["how"][how], name=name)
            yield Change("prompts", name, how, sentence)
        for id, how in _changed(then.documents, now.documents):
            title = self.titles.get(id)
            shown = words["document"].format(title=title, id=id) if title else words["no_title"].format(id=id)
            yield Change("documents", id, how, said["documents"].format(how=words["how"][how], name=shown))
        if then.learned != now.learned:
            yield Change("learned", now.learned, "changed", said["learned"])
        if then.embedding != now.embedding:
            yield Change("embedding", now.embedding, "changed", said["embedding"])


def _changed(
    then: Mapping[str, str], now: Mapping[str, str]
) -> Iterator[tuple[str, Literal["changed", "added", "removed"]]]:
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield name, "added" if name not in then else "removed" if name not in now else "changed"


# ------------------------------------------------------------------ comparing


@dataclass(frozen=True)
class _Compared:
    """The parts of a receipt as they are compared and as they are called."""

    words: Mapping[str, Any]
    labels: Mapping[str, Any]
    parts: Made

    def whole(self, made: Receipt, without: bool) -> dict[str, Shown]:
        """Everything. ``without``: the receipt has no words, so that quotes of them cannot be compared."""
        found = made.determination
        why = self.words["declined"].get(made.declined, made.declined) if made.declined else ""
        shown: dict[str, Shown] = {
            "kind": _one("：".join(filter(None, (self.words["kinds"][made.kind], why)))),
            "facts": dict(self._fact(f, without) for f in made.facts),
            "citations": {c.id: (c.label, "") for c in made.citations},
        }
        if made.checks:
            shown["checks"] = _one(self.words["check"][passed(made.checks)])
        if found:
            shown |= self.judged(found, made.findings, made.routes, all_of_them=not without)
            shown["confidence"] = _one(f"{found.confidence:.2f}")
            shown["candidates"] = {c.id: (c.label, "") for c in found.clauses if c.candidate}
            shown["questions"] = {name: (self._name(name), "") for name in found.questions}
        if not without and made.answer is not None:
            shown["answer"] = {f"{at}": (line, "") for at, line in enumerate(self._lines(made, made.answer))}
        return shown

    def judged(
        self,
        made: Determined,
        findings: Sequence[FindingRow],
        routes: Sequence[RouteRow],
        all_of_them: bool = False,
    ) -> dict[str, Shown]:
        """What follows from the facts. ``all_of_them``: what the days that were told make of it as well."""
        rows = [f for f in findings if all_of_them or f.step != TIMING]
        variant = self.labels["scope_variants"].get(made.variant)
        steps = [(way, step) for way in routes for step in way.steps]
        exemption = self.labels["exemption"]
        return {
            "scope": _one(variant or self.labels["scope"].get(made.scope, made.scope)),
            "subject": _one(made.subject or ""),
            "responsibility": _one(made.responsibility or ""),
            "clauses": {c.id: (c.label, "") for c in made.clauses if not c.candidate},
            "exemptions": {f"{e.id} {e.effect}": (e.label, exemption[e.status]) for e in made.exemptions},
            "measures": {m.words: (m.words, "") for m in made.measures},
            "routes": {f"{w.id} {s.name}": (f"{w.name}：{s.name}", f"{s.to}，{s.within}") for w, s in steps},
            "deadlines": {
                f"{w.id} {s.name}": (f"{w.name}：{s.name}", s.deadline.isoformat())
                for w, s in steps
                if s.deadline
            },
            "misuse_signals": {s.name: (s.name, s.reason) for s in made.misuse_signals},
            "others": {o.who: (o.who, o.reason) for o in made.others},
            "findings": {f"{f.step} {n}": (f.title, self._finding(f)) for n, f in _numbered(rows)},
        }

    def cited(self, citations: Sequence[CitedRow]) -> Difference | None:
        """Which of the provisions that were cited have other words now, or apply at other times."""
        gone, changed = [], []
        for c in citations:
            provision = self.parts.corpus.get(c.id)
            if provision is None:
                gone.append(f"{c.label}（{self.words['gone']}）")
                continue
            text = (provision.text if c.kind == "verbatim" else provision.digest) or ""
            instrument = provision.instrument
            before = self._period(c.effective_from, c.effective_to)
            after = self._period(instrument.effective_from, instrument.effective_to)
            if provision.label != c.label:
                changed.append((c.label, c.label, provision.label))
            if sha256(text) != c.sha256:
                changed.append((c.label, c.text, text))
            if c.original_sha256 and sha256(provision.text or "") != c.original_sha256:
                changed.append((c.label, self.words["original"], self.words["another_original"]))
            if before != after:
                changed.append((c.label, before, after))
        label = self.words["parts"]["words"]
        return Difference("words", label, tuple(gone), (), tuple(changed)) if gone or changed else None

    def difference(self, part: str, then: Shown, now: Shown) -> Difference | None:
        """How one part differs; None where it does not."""
        label = self.words["parts"][part]
        if part == "confidence" and _near(then, now):
            return None
        if part == "answer":
            return _of_lines(part, label, then, now)
        lost = tuple(_said(then[key]) for key in then if key not in now)
        gained = tuple(_said(now[key]) for key in now if key not in then)
        changed = tuple(
            (then[key][0], then[key][1] or self.words["none"], now[key][1] or self.words["none"])
            for key in then
            if key in now and then[key][1] != now[key][1]
        )
        if lost or gained or changed:
            return Difference(part, label, lost, gained, changed)
        return None

    def _lines(self, made: Receipt, answer: str) -> Iterator[str]:
        """The answer without how the words were taken, and without the notice that numbers were hidden from them.

        The words of a receipt have none left to hide.
        """
        if made.understood:
            answer = answer.removeprefix(_noted(made, ""))
        before, _, after = self.labels["notices"]["masked"].partition("{kinds}")
        hidden = re.compile(f"> {re.escape(before)}.*{re.escape(after)}")
        for line in answer.split("\n"):
            if line.strip() and not hidden.fullmatch(line.strip()):
                yield line.strip()

    def _fact(self, fact: FactRow, without: bool) -> tuple[str, tuple[str, str]]:
        kind = self.parts.advisor.law.vocabulary.facts.get(fact.name)
        label = f"{kind.label}：{kind.show(fact.value)}" if kind else f"{fact.name}：{fact.value}"
        source = self.words["sources"][fact.source]
        words = "" if without else fact.evidence
        said = self.words["evidence"].format(words=words, source=source) if words else source
        return f"{fact.name}={fact.value}", (label, said)

    def _name(self, fact: str) -> str:
        kind = self.parts.advisor.law.vocabulary.facts.get(fact)
        return kind.label if kind else fact

    def _finding(self, found: FindingRow) -> str:
        labels = [p.label if (p := self.parts.corpus.get(id)) else id for id in found.provisions]
        row = self.words["finding_row"].format(row=found.row) if found.row else ""
        return str(
            self.words["finding"].format(
                status=self.labels["status"][found.status],
                reason=found.reason,
                provisions="、".join(labels) or self.words["none"],
                row=row,
            )
        )

    def _period(self, begun: date | None, end: date | None) -> str:
        first = begun.isoformat() if begun else self.words["unknown_day"]
        return str(self.words["until" if end else "from"].format(first=first, last=end))


def _told(old: Receipt, words: str) -> str:
    """The words that a receipt was made without.

    Raises:
        ReceiptError: they are others.
    """
    for same in (words, words.strip()):  # files end with a line break, typed words do not
        if sha256(mask_private(clean(same))[0]) == old.question.text_sha256:
            return same
    raise ReceiptError("这些话与凭据里登记的不是同一段（摘要对不上），请用当时的原话。")


def _noted(old: Receipt, answer: str) -> str:
    """An answer with how the words were taken in front, as in a conversation."""
    return f"> {old.understood}\n\n{answer}" if old.understood else answer


def _one(said: str) -> Shown:
    return {"": ("", said)}


def _said(told: tuple[str, str]) -> str:
    return "：".join(filter(None, told))


def _numbered(rows: Sequence[FindingRow]) -> Iterator[tuple[int, FindingRow]]:
    """The findings, those of one step counted."""
    seen: dict[str, int] = {}
    for row in rows:
        seen[row.step] = seen.get(row.step, 0) + 1
        yield seen[row.step], row


def _near(then: Shown, now: Shown) -> bool:
    return abs(float(then[""][1]) - float(now[""][1])) <= SURE_WITHIN if then and now else False


def _of_lines(part: str, label: str, then: Shown, now: Shown) -> Difference | None:
    """Lines that are no longer there, lines that are new."""
    before, after = [line for line, _ in then.values()], [line for line, _ in now.values()]
    if before == after:
        return None
    lost = tuple(line for line in dict.fromkeys(before) if line not in after)
    gained = tuple(line for line in dict.fromkeys(after) if line not in before)
    return Difference(part, label, lost, gained, (), reordered=not (lost or gained))


def _read_with_help(assisted: object) -> bool:
    """Whether a language model had a part in the facts or in what was searched, not in the wording alone."""
    if not isinstance(assisted, dict):
        return assisted is not None
    parts = [assisted[key] for key in ("facts_kept", "facts_open", "terms") if key in assisted]
    return any(parts) if parts else True


def _model(assisted: object) -> str:
    """The name of the language model that had helped, as far as the receipt has it."""
    return str(assisted.get("model") or assisted.get("name") or "") if isinstance(assisted, dict) else ""


def exported(
    advice: Advice, replayer: Replayer, when: datetime, without_words: bool = False
) -> dict[str, Any]:
    """The receipt of an answer that was given earlier, if the same comes out now.

    The versions on a receipt are those of now; they are true of an answer only where it can be made from them.

    Raises:
        ReceiptError: nothing is to be kept of it, or another answer comes out now.
    """
    parts = replayer.parts
    made = receipt(advice, parts.corpus, parts.versions, when)
    if not made["checks"]:  # it was kept, without what verification found
        checks = replayer.answer(advice.question).checks
        advice = replace(advice, checks=checks)
        made = receipt(advice, parts.corpus, parts.versions, when)
    found = replayer.replay(Receipt.model_validate(made))
    if not found.same:
        names = "、".join(d.label for d in found.differences)
        raise ReceiptError(
            f"这个答复现在重做会不一样（{names}）：知识库有了变动，或者记录里的姓名等换成了代号；"
            "请再问一次，然后导出凭据。"
        )
    return receipt(advice, parts.corpus, parts.versions, when, without_words) if without_words else made


def receipt_file(
    advice: Advice, replayer: Replayer, when: datetime, without_words: bool = False
) -> tuple[str, str, bytes]:
    """The receipt of an earlier answer as a file: name, kind, bytes. Raises as :func:`exported` does."""
    made = exported(advice, replayer, when, without_words)
    return file_name(made), "application/json", written(made).encode()
