"""Pure output: an advice as the contract's JSON object, or as lines for a terminal.

Comes in: :class:`~assistant.model.Advice`. Goes out: plain values and text. Nothing is computed here.
"""

from __future__ import annotations

from typing import Any

from assistant.model import Advice, Assistance, Determination

_EMPTY: dict[str, Any] = {
    "scope": None,
    "confidence": 0.0,
    "subject": None,
    "responsibility": None,
    "clauses": [],
    "exemptions": [],
    "routes": [],
    "misuse_signals": [],
    "others": [],
    "missing_facts": [],
    "findings": [],
}


def to_contract(advice: Advice) -> dict[str, Any]:
    """The one object that ``zeming ask --json`` prints; its keys are a contract with other programs."""
    made = _determination(advice.determination) if advice.determination else dict(_EMPTY)
    return {
        "id": advice.question.id,
        "question": advice.question.text,
        "kind": advice.kind,
        **({"declined": advice.declined} if advice.declined else {}),
        **{key: made[key] for key in _EMPTY if key != "findings"},
        "facts": [
            {
                "name": f.name,
                "value": f.value,
                "evidence": f.evidence,
                "source": f.source,
                "confidence": f.confidence,
            }
            for f in advice.facts
        ],
        "findings": made["findings"],
        "citations": [
            {
                "n": c.n,
                "id": c.id,
                "label": c.label,
                "kind": c.kind,
                "text": c.text,
                "original": c.original,
                "authority": c.authority,
                "in_force": c.in_force,
                "source_url": c.source_url,
            }
            for c in advice.citations
        ],
        "understood": advice.understood,
        "supposed": advice.supposed,
        "assisted": _assistance(advice.assisted) if advice.assisted else None,
        "answer": advice.answer,
        "elapsed_ms": advice.elapsed_ms,
    }


def _determination(made: Determination) -> dict[str, Any]:
    return {
        "scope": made.scope,
        "confidence": made.confidence,
        "subject": made.subject,
        "responsibility": made.responsibility,
        "clauses": [{"id": c.id, "label": c.label, "score": c.score} for c in made.clauses],
        "exemptions": [{"id": e.id, "label": e.label, "status": e.status} for e in made.exemptions],
        "routes": [
            {
                "id": route.id,
                "name": f"{route.name}：{step.name}",
                "to": step.to,
                "within": step.within,
                "deadline": step.deadline.isoformat() if step.deadline else None,
                "legal_basis": list(dict.fromkeys((*step.basis, *route.legal_basis))),
            }
            for route in made.routes
            for step in route.steps
        ],
        "misuse_signals": [s.name for s in made.misuse_signals],
        "others": [{"who": o.who, "reason": o.reason, "provisions": list(o.provisions)} for o in made.others],
        "missing_facts": [{"fact": m.fact, "question": m.question} for m in made.missing_facts],
        "findings": [
            {"step": f.step, "status": f.status, "reason": f.reason, "provisions": list(f.provisions)}
            for f in made.findings
        ],
    }


def _assistance(given: Assistance) -> dict[str, Any]:
    return {
        "model": given.model,
        "prompts": dict(given.prompts),
        "facts": {
            "proposed": given.facts_proposed,
            "kept": given.facts_kept,
            "open": list(given.facts_open),
            "stand": list(given.facts_stand),
        },
        "terms": list(given.terms),
        "sentences": {"written": given.sentences, "kept": given.sentences_kept},
        "seconds": given.seconds,
        "tokens": given.tokens,
        "trouble": list(given.trouble),
    }


def refusal(row_id: str | None, question: str, sentence: str) -> dict[str, Any]:
    """The object of a question that could not be read: the sentence stands as its answer."""
    return {
        "id": row_id,
        "question": question,
        "kind": "out_of_domain",
        **{key: value for key, value in _EMPTY.items() if key != "findings"},
        "facts": [],
        "findings": [],
        "citations": [],
        "understood": "",
        "supposed": False,
        "assisted": None,
        "answer": sentence,
        "elapsed_ms": 0,
    }
