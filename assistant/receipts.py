"""A receipt of an answer: what was asked, what it was made from, what came out, and a digest over all of it.

Comes in: an :class:`~assistant.model.Advice`, the corpus, what the program answers from. Goes out: plain JSON values,
whose shape is :class:`Receipt` and nothing else, so that they can be read years later. Raises ``ReceiptError``.

The digest shows that something was changed or damaged. It is no signature: who changes a receipt on purpose can make
a new one; that another answer then comes out is what :mod:`assistant.replaying` shows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from assistant import __version__
from assistant.errors import ReceiptError
from assistant.law.corpus import Corpus
from assistant.law.days import read_received_date
from assistant.model import Advice, Citation, Determination, Finding, Provision, Route
from assistant.privacy import mask_private
from assistant.settings import Settings
from assistant.steps.timing import STEP as TIMING

NAME, FORMAT = "zeming", 1
LONGEST = 16_000_000  # characters of a file that is read
_SHARED = 4  # characters in a row that words may have in common with a story that is left out
_BROKEN = re.compile(r"[\ud800-\udfff]")  # halves of characters, which no file can hold
_CODE = Path(__file__).resolve().parent
_plain: TypeAdapter[Any] = TypeAdapter(Any)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Row):
    """``text`` is None where the words were left out; ``received_in_text``: the day that they name."""

    text: str | None
    text_sha256: str
    day: date
    received: date | None
    received_in_text: date | None
    conduct: tuple[date, date] | None
    confirmed: dict[str, str | tuple[str, ...]]
    settled: tuple[str, ...]


class Versions(_Row):
    """What the program answers from. Files and documents by name, with the sha256 of what they hold."""

    program: str
    code: str
    corpus: str  # of knowledge, prompts and documents together
    learned: str
    embedding: str
    knowledge: dict[str, str]
    prompts: dict[str, str]
    documents: dict[str, str]


class FactRow(_Row):
    name: str
    value: str
    evidence: str
    source: Literal["lexicon", "learned", "confirmed", "model"]
    confidence: float


class FindingRow(_Row):
    step: str
    title: str
    status: Literal["yes", "no", "unknown"]
    reason: str
    provisions: tuple[str, ...]
    row: str
    facts: tuple[str, ...]
    missing: tuple[str, ...]


class ClauseRow(_Row):
    id: str
    label: str
    score: float
    candidate: bool


class ExemptionRow(_Row):
    id: str
    label: str
    status: Literal["met", "possible", "not_met"]
    reason: str
    effect: str


class MeasureRow(_Row):
    words: str
    provisions: tuple[str, ...]


class SignalRow(_Row):
    name: str
    reason: str
    provisions: tuple[str, ...]


class OtherRow(_Row):
    who: str
    reason: str
    provisions: tuple[str, ...]


class Determined(_Row):
    scope: str
    variant: str
    confidence: float
    subject: str | None
    responsibility: str | None
    clauses: tuple[ClauseRow, ...]
    exemptions: tuple[ExemptionRow, ...]
    measures: tuple[MeasureRow, ...]
    misuse_signals: tuple[SignalRow, ...]
    others: tuple[OtherRow, ...]
    questions: tuple[str, ...]  # names of the facts that are asked for


class RouteStepRow(_Row):
    name: str
    to: str
    within: str
    deadline: date | None
    provisions: tuple[str, ...]


class RouteRow(_Row):
    id: str
    name: str
    steps: tuple[RouteStepRow, ...]
    provisions: tuple[str, ...]


class CitedRow(_Row):
    """A provision as it was cited. ``text`` is the digest or the 原文 as ``kind`` says."""

    n: int
    id: str
    label: str
    kind: Literal["digest", "verbatim"]
    authority: str
    confidence: str
    text: str
    sha256: str
    original_sha256: str | None
    in_force: bool
    effective_from: date | None
    effective_to: date | None


class CheckRow(_Row):
    name: str
    passed: bool
    detail: str


class Receipt(_Row):
    """The whole of it. ``assisted``: what a language model was used for, None where it was not.

    ``answer`` is None where the words were left out.
    """

    receipt: Literal["zeming"]
    format: Literal[1]
    made: datetime
    question: Asked
    kind: Literal["scenario", "knowledge", "out_of_domain"]
    declined: str | None
    supposed: bool
    understood: str
    versions: Versions
    assisted: JsonValue
    facts: tuple[FactRow, ...]
    findings: tuple[FindingRow, ...]
    determination: Determined | None
    routes: tuple[RouteRow, ...]
    citations: tuple[CitedRow, ...]
    checks: tuple[CheckRow, ...]
    answer: str | None
    answer_sha256: str
    sha256: str


# ------------------------------------------------------------------ what the program answers from


def versions_of(settings: Settings, documents: Mapping[str, str], learned: str, embedding: str) -> Versions:
    """What answers are made from now.

    Args:
        documents: those of this installation, with the sha256 of what they say.
        learned: the state of the learned model.
        embedding: a name for the vectors.
    """
    knowledge, prompts = _files(settings.knowledge), _files(settings.prompts)
    return Versions(
        program=__version__,
        code=digest_of({path: sha for path, sha in _files(_CODE).items() if path.endswith(".py")}),
        corpus=digest_of({"knowledge": knowledge, "prompts": prompts, "documents": dict(documents)}),
        learned=learned,
        embedding=embedding,
        knowledge=knowledge,
        prompts=prompts,
        documents=dict(documents),
    )


def newest_change(settings: Settings) -> float:
    """When a file that answers are made from was last exchanged, in seconds since 1970."""
    paths = [*_paths(settings.knowledge), *_paths(settings.prompts)]
    return max((path.stat().st_ctime for path in paths), default=0.0)


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _paths(folder)
    }


def _paths(folder: Path) -> list[Path]:
    """The files of a folder, without hidden ones and what editors leave behind."""
    found = [p for p in folder.rglob("*") if p.is_file()]
    return sorted(
        p
        for p in found
        if not p.name.endswith(("~", ".pyc"))
        and not any(part.startswith((".", "__")) for part in p.relative_to(folder).parent.parts)
        and not p.name.startswith(".")
    )


# ------------------------------------------------------------------ writing one


def receipt(
    advice: Advice,
    corpus: Corpus,
    versions: Versions,
    when: datetime,
    without_words: bool = False,
) -> dict[str, Any]:
    """The receipt of an answer.

    Args:
        corpus: the provisions that the answer was made from.
        when: the time that is written on it.
        without_words: what was told stays away, and the answer, which quotes it; only their sha256 is there.

    Raises:
        ReceiptError: of this answer nothing is to be kept.
    """
    if not advice.keep:
        raise ReceiptError("这次写的是反映别人的问题，内容不留，所以没有凭据。")
    question, made = advice.question, advice.determination
    text = mask_private(clean(question.text))[0]
    answer = clean(advice.answer)
    shown = not without_words
    assisted = _plain.dump_python(getattr(advice, "assisted", None), mode="json")
    content: dict[str, Any] = {
        "receipt": NAME,
        "format": FORMAT,
        "made": when.isoformat(timespec="seconds"),
        "question": {
            "text": text if shown else None,
            "text_sha256": sha256(text),
            "day": question.day,
            "received": question.received,
            "received_in_text": read_received_date(text, question.day),
            "conduct": question.conduct,
            "confirmed": {name: question.confirmed[name] for name in sorted(question.confirmed)},
            "settled": sorted(question.settled),
        },
        "kind": advice.kind,
        "declined": advice.declined,
        "supposed": advice.supposed,
        "understood": advice.understood,  # names of facts and values, no words of the person
        "versions": versions,
        "assisted": assisted if shown else _apart(assisted, text),
        "facts": [
            {
                "name": f.name,
                "value": f.value,
                "evidence": mask_private(f.evidence)[0] if shown else "",
                "source": f.source,
                "confidence": _rounded(f.confidence),
            }
            for f in advice.facts
        ],
        "findings": [finding(f, shown) for f in made.findings] if made else [],
        "determination": determined(made) if made else None,
        "routes": [route(r) for r in made.routes] if made else [],
        "citations": [_cited(c, corpus.get(c.id)) for c in advice.citations],
        "checks": [
            {"name": c.name, "passed": c.passed, "detail": c.detail if shown else ""} for c in advice.checks
        ],
        "answer": answer if shown else None,
        "answer_sha256": sha256(answer),
    }
    plain: dict[str, Any] = _cleaned(_plain.dump_python(content, mode="json"))
    return {**plain, "sha256": digest_of(plain)}


def finding(found: Finding, shown: bool = True) -> dict[str, Any]:
    """A finding as a row. ``shown``: what it says of the days that were told stays."""
    return {
        "step": found.step,
        "title": found.title,
        "status": found.status,
        "reason": found.reason if shown or found.step != TIMING else "",
        "provisions": found.provisions,
        "row": found.row,
        "facts": found.facts,
        "missing": found.missing,
    }


def determined(made: Determination) -> dict[str, Any]:
    """A determination as a row, without findings and routes."""
    return {
        "scope": made.scope,
        "variant": made.variant,
        "confidence": _rounded(made.confidence),
        "subject": made.subject,
        "responsibility": made.responsibility,
        "clauses": [
            {"id": c.id, "label": c.label, "score": _rounded(c.score), "candidate": c.candidate}
            for c in made.clauses
        ],
        "exemptions": [
            {"id": e.id, "label": e.label, "status": e.status, "reason": e.reason, "effect": e.effect}
            for e in made.exemptions
        ],
        "measures": [{"words": words, "provisions": basis} for words, basis in made.measures],
        "misuse_signals": [
            {"name": s.name, "reason": s.reason, "provisions": s.provisions} for s in made.misuse_signals
        ],
        "others": [{"who": o.who, "reason": o.reason, "provisions": o.provisions} for o in made.others],
        "questions": [m.fact for m in made.missing_facts],
    }


def route(way: Route) -> dict[str, Any]:
    """A remedy route with its deadlines as a row."""
    return {
        "id": way.id,
        "name": way.name,
        "steps": [
            {
                "name": step.name,
                "to": step.to,
                "within": step.within,
                "deadline": step.deadline,
                "provisions": step.basis,
            }
            for step in way.steps
        ],
        "provisions": way.legal_basis,
    }


def _cited(citation: Citation, provision: Provision | None) -> dict[str, Any]:
    instrument = provision.instrument if provision else None
    return {
        "n": citation.n,
        "id": citation.id,
        "label": citation.label,
        "kind": citation.kind,
        "authority": citation.authority,
        "confidence": citation.confidence,
        "text": citation.text,
        "sha256": sha256(citation.text),
        "original_sha256": sha256(citation.original) if citation.original else None,
        "in_force": citation.in_force,
        "effective_from": instrument.effective_from if instrument else None,
        "effective_to": instrument.effective_to if instrument else None,
    }


def written(made: Mapping[str, Any]) -> str:
    """A receipt as the text of a file."""
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def file_name(made: Mapping[str, Any]) -> str:
    """A name for the file: when it was made, and the beginning of the digest.

    >>> file_name({"made": "2026-11-22T14:05:00+08:00", "sha256": "0a1b2c3d4e"})
    '答复凭据-20261122-140500-0a1b2c3d.json'
    """
    when = re.sub(r"\D", "", str(made["made"])[:19])
    return f"答复凭据-{when[:8]}-{when[8:]}-{made['sha256'][:8]}.json"


def sha256(text: str) -> str:
    """The digest of words.

    >>> sha256("问责")[:8], sha256("\\ud800") == sha256("\\ufffd")
    ('15aa0a1f', True)
    """
    return hashlib.sha256(clean(text).encode()).hexdigest()


def digest_of(content: Mapping[str, Any]) -> str:
    """The digest of plain values as canonical JSON: keys in order, no spaces, UTF-8.

    >>> digest_of({"b": 1, "a": "甲"}) == sha256('{"a":"甲","b":1}')
    True
    """
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def clean(text: str) -> str:
    """The text without halves of characters."""
    return _BROKEN.sub("\ufffd", text)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def _apart(value: Any, story: str) -> Any:
    """The value with every string emptied that shares a few characters in a row with the story."""
    if isinstance(value, str):
        if len(value) < _SHARED and value.isascii():
            return value
        runs = (value[at : at + _SHARED] for at in range(max(1, len(value) - _SHARED + 1)))
        return "" if any(run in story for run in runs) else value
    if isinstance(value, dict):
        return {key: _apart(item, story) for key, item in value.items()}
    return [_apart(item, story) for item in value] if isinstance(value, list) else value


def _rounded(number: float) -> float:
    """The last digits differ from machine to machine."""
    return round(float(number), 4)


# ------------------------------------------------------------------ reading one


def read_receipt(text: str) -> Receipt:
    """A receipt as it was written.

    Raises:
        ReceiptError: it is none, was written by another version, was changed, or is damaged; one sentence.
    """
    if len(text) > LONGEST:
        raise ReceiptError("这个文件太大，不是责明的答复凭据。")
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ReceiptError("这份凭据不是完整的 JSON，可能没有传完或者已经损坏，请换一份完好的。") from error
    if not isinstance(found, dict) or found.get("receipt") != NAME:
        raise ReceiptError("这个文件不是责明的答复凭据，请选 zeming ask --receipt 或者网页导出的那一份。")
    if found.get("format") != FORMAT or isinstance(found["format"], bool):
        raise ReceiptError(
            f"这份凭据的格式是“{_short(found.get('format'))}”，本程序只认格式 {FORMAT}，请用写出它的那一版程序打开。"
        )
    said = found.pop("sha256", None)
    if not isinstance(said, str) or said != _digest_read(found):
        raise ReceiptError("凭据的内容与它的校验值对不上：写出以后被改动过，或者已经损坏，不能作准。")
    try:
        return Receipt.model_validate({**found, "sha256": said})
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ReceiptError(f"凭据的“{_short(where)}”一项不合格式：不是本程序写出的，不能作准。") from None


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are there once: of two, people may read one and programs the other."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ReceiptError("凭据里有一项写了两次，内容被改动过，不能作准。")
    return found


def _no_number(_: str) -> NoReturn:
    raise ReceiptError("凭据里有不是数的数，内容被改动过，不能作准。")


def _digest_read(found: Mapping[str, Any]) -> str:
    try:
        return digest_of(found)
    except (UnicodeEncodeError, ValueError, RecursionError):  # nothing that was written by this program
        return ""


def _short(value: object) -> str:
    return clean(str(value))[:40]


def passed(checks: Iterable[CheckRow]) -> bool:
    """Whether verification found nothing wrong."""
    return all(check.passed for check in checks)
