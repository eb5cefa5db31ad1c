"""What words are for, before their contents are read: they suppose, or begin another matter.

Comes in: the clauses of a reply, see :func:`assistant.law.clauses.in_clauses`, and the words of
``knowledge/replies.yaml``. Nothing is read from files here, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.law.clauses import in_clauses
from assistant.law.lexicon import Lexicon
from assistant.law.phrases import Phrases
from assistant.law.reading import Story, read_story
from assistant.model import Fact

STORY = 25  # characters from which a text may begin another situation by itself


def joined(clauses: Iterable[str]) -> str:
    return "，".join(clauses)


def supposes(clauses: Sequence[str], phrases: Phrases) -> bool:
    marks = phrases.marks
    return any(marks["supposes"].search(c) and not marks["not_supposing"].search(c) for c in clauses)


def what_is_supposed(clauses: Sequence[str], phrases: Phrases) -> list[str]:
    """The clauses that suppose something, as if they were told."""
    marks = phrases.marks
    told = (
        marks["suppose_words"].sub("", c)
        for c in clauses
        if not marks["after_supposing"].search(c) or c == clauses[0]
    )
    return [c for c in told if c]


def unsupposed(text: str, phrases: Phrases) -> str:
    """The words of a supposition as if they were told: 如果我反对了呢 → 我反对了.

    Only these can be read for facts; the lexicon leaves out what is supposed.
    """
    clauses = in_clauses(text, phrases)
    return joined(what_is_supposed(clauses, phrases)) if supposes(clauses, phrases) else text


def is_opening(clause: str, phrases: Phrases) -> bool:
    marks = phrases.marks
    return marks["another"].search(clause) is not None and not marks["not_another"].search(clause)


def begins_anew(clauses: Sequence[str], phrases: Phrases) -> bool:
    marks = phrases.marks
    if any(marks["not_another"].search(c) for c in clauses[:2]):
        return False
    return any(is_opening(c, phrases) for c in clauses[:2])


_TELLING = frozenset(
    {"subject", "own_violation", "duty_failure", "consequence", "violation_kind", "ordinary_matter", "stage"}
)


def tells_another(
    text: str, found: Sequence[Fact], told_before: str, lexicon: Lexicon, phrases: Phrases
) -> bool:
    """Whether a text tells another matter: whole by itself, about somebody else, not looking back."""
    names = {f.name for f in found}
    if len(text) < STORY or len(names & _TELLING) < 2 or "narrates" not in names:
        return False
    first = joined(in_clauses(text, phrases)[:2])
    if phrases.marks["refers"].search(first):
        return False
    now, before = read_story(text, lexicon), read_story(told_before, lexicon)
    return bool(now.asked) and _somebody_else(now, before)


def _somebody_else(now: Story, before: Story) -> bool:
    if not before.asked or now.asked_is != before.asked_is:
        return True
    posts = {m.text[-2:] for m in now.asked_roles()}
    posts_before = {m.text[-2:] for m in before.asked_roles()}
    if now.asked != before.asked and now.asked_is == "other":
        return True
    return bool(posts and posts_before and not posts & posts_before)
