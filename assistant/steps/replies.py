"""What a person says after an answer: an answer to the questions, a correction, a supposition, or something new.

Comes in: the words, the questions that were asked, what is known so far. Goes out: :class:`Reply`. Nothing is
read from files here, and nothing is raised; what is not understood is handed back as ``rest``.

How it is read: clause by clause (:mod:`assistant.law.clauses`). A clause that says a value counts for the fact it
names; a bare 有、不是、不清楚 counts for the question pointed to (第一个、后两个), else for the next one not answered
yet, and for none where the clause beside it already says the same in full. What goes before:

- Words that only repeat a question say nothing of its answer (有没有权限、是违规还是失职); they point to it.
- What is asked in return says nothing (怎么才叫违规？), nor what was only thought or said until 其实 sets it right.
- 不清楚 outweighs what else the same sentence says of the fact it is about.
- A value may bring that of another fact with it (没有违规，是没管好), if nothing else is said of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from assistant.law.clauses import (
    DENIED,
    SHORT_CLAUSE,
    UNKNOWN,
    Marks,
    asks,
    bare,
    filled,
    in_clauses,
    is_unsure,
    on_topic,
    points_to,
    said_back,
    somebody_else,
    value_in,
    wants_to_know,
)
from assistant.law.lexicon import Lexicon
from assistant.law.phrases import Phrases
from assistant.law.text import fold
from assistant.law.turns import (
    STORY,
    begins_anew,
    is_opening,
    joined,
    supposes,
    tells_another,
    what_is_supposed,
)
from assistant.law.vocabulary import Vocabulary
from assistant.model import Fact, MissingFact

ReplyKind = Literal["answer", "correction", "what_if", "new_situation", "same_situation", "more", "question"]
SURE = 0.6  # what the lexicon reads less surely does not set a fact
TELLING_CLAUSE = 12  # characters; one that sets a fact says nothing else if it is shorter
FEW = 4  # characters; so short a clause is no telling part of a question
ALIKE = 0.5  # share of the words of a clause from which it repeats a question
BROUGHT = 2 * DENIED  # rank of values that another one brings
_SENTENCE = re.compile(r"[。；！!;\n]+")
_QUOTED = re.compile(r"[“‘\"'【]([^”’\"'】]+)[”’\"'】]")


@dataclass(frozen=True)
class Told:
    """A fact that the words set: a value, or ``unknown``."""

    name: str
    value: str
    words: str


@dataclass(frozen=True)
class Reply:
    """``rest`` are the words that set no fact and belong to the story."""

    kind: ReplyKind
    facts: tuple[Told, ...] = ()
    rest: str = ""


@dataclass
class _Reading:
    """The clauses of a reply while they are being read."""

    asked: tuple[str, ...]
    phrases: Phrases
    told: dict[str, Told] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    asks_back: bool = False
    sentences: list[int] = field(default_factory=list)  # the sentence of each clause
    by_clause: dict[int, list[str]] = field(default_factory=dict)
    # clauses that say nothing: the questions that they repeat, none where they ask or are set right later
    mentioned: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def tell(self, number: int, name: str, value: str, words: str, rank: int = 0) -> None:
        """Note a value; of two for one fact the way that stands earlier in the list counts."""
        self.by_clause.setdefault(number, []).append(name)
        if name not in self.told or rank < self.ranks[name]:
            self.told[name] = Told(name, value, words)
            self.ranks[name] = rank


def read_reply(
    text: str,
    asked: Sequence[MissingFact],
    facts: Sequence[Fact],
    vocabulary: Vocabulary,
    lexicon: Lexicon,
    phrases: Phrases,
    read: Iterable[Fact] = (),
    told_before: str = "",
) -> Reply:
    """Understand what was said after an answer.

    Args:
        text: the words.
        asked: the questions that the answer closed with.
        facts: the fact sheet as it stands.
        read: what the lexicon finds in the words alone, see :func:`assistant.steps.facts.read_facts`.
        told_before: the story so far, to notice that another one begins.
    """
    found = tuple(read)
    names = tuple(m.fact for m in asked)
    clauses = in_clauses(text, phrases)
    marks = phrases.marks
    if any(marks["back"].search(c) for c in clauses):
        rest = joined(c for c in clauses if not marks["back"].search(c))
        return Reply("same_situation", rest=rest)
    if supposes(clauses, phrases):
        return _what_if(clauses, names, found, vocabulary, phrases, text)
    if begins_anew(clauses, phrases):
        rest = joined(c for c in clauses if not is_opening(c, phrases))
        return Reply("new_situation", rest=rest or text.strip())
    reading = _Reading(names, phrases)
    known = {f.name for f in facts} - set(names)
    clauses = _without_echo(text, asked, vocabulary, reading)
    corrects = any(
        marks["corrects"].search(marks["links"].sub("", c))
        for n, c in enumerate(clauses[:2])
        if n not in reading.mentioned and n - 1 not in reading.mentioned
    )
    _read_unknown(clauses, asked, vocabulary, reading)
    _read_contents(clauses, reading, names, also=known if corrects else ())
    if names and bare(clauses[0], marks) == "no" and not reading.told.keys() & known:
        corrects = False  # 不是，是管理问题: a plain no to what was asked
    _read_lexicon(found, clauses, reading, names, vocabulary, every=corrects)
    answered = any(n - 1 in reading.mentioned and _answers(c, asked, marks) for n, c in enumerate(clauses))
    if not answered and _is_question(text, found, reading):
        return Reply("question", rest=text.strip())
    if not corrects:
        _read_bare(clauses, asked, reading)
        if reading.asks_back and not reading.told and len(text) < STORY:
            return Reply("question", rest=text.strip())
        _takes_back(clauses, reading)
    if told_before and tells_another(text, found, told_before, lexicon, phrases):
        return Reply("new_situation", rest=text.strip())
    told = tuple(reading.told.values())
    changed = [t for t in told if _changes(t, facts)]
    rest = _rest(clauses, reading)
    if corrects:
        left = [c for n, c in enumerate(clauses) if n not in reading.by_clause]
        return Reply("correction", told, _rest(left, _Reading(names, phrases)))
    if any(t.name in names for t in told):
        return Reply("answer", told, rest)
    if changed:
        return Reply("correction", told, rest)
    return Reply("answer" if told else "more", told, rest if told else text.strip())


# ------------------------------------------------------------------ clauses


def _rest(clauses: Sequence[str], reading: _Reading) -> str:
    """Clauses that belong to the story: they say enough, and no fact was set by all of what they say."""
    marks = reading.phrases.marks
    kept = []
    for number, clause in enumerate(clauses):
        if len(clause) < (TELLING_CLAUSE if number in reading.by_clause else 4):
            continue
        if any(marks[m].search(clause) for m in ("corrects", "every", "rest", "unsure")):
            continue
        if points_to(clause, len(reading.asked), reading.phrases)[0]:
            continue
        kept.append(clause)
    return joined(kept)


# ------------------------------------------------------------------ what only repeats a question


def _without_echo(
    text: str, asked: Sequence[MissingFact], vocabulary: Vocabulary, reading: _Reading
) -> list[str]:
    """The clauses without quoted questions; notes the sentence of each, and which say nothing."""
    clauses: list[str] = []
    sentences = reading.sentences
    quoted: dict[int, tuple[str, ...]] = {}
    questioned: dict[int, bool] = {}  # clauses before a question mark, and whether right before it
    for sentence, words in enumerate(_SENTENCE.split(fold(text))):
        about: tuple[str, ...] = ()
        plain = words
        for match in _QUOTED.finditer(words):
            if repeats := _repeats(match[1], asked, vocabulary):
                about = (*about, *repeats)
                plain = plain.replace(match[0], "")
        for piece in re.findall(r"[^？]+？?", plain):
            pieces = in_clauses(piece.lstrip("：:，"), reading.phrases)
            for place, clause in enumerate(pieces, start=1):
                if about:
                    quoted[len(clauses)] = about
                    about = ()
                elif piece.endswith("？"):
                    questioned[len(clauses)] = place == len(pieces)
                clauses.append(clause)
                sentences.append(sentence)
    marks = reading.phrases.marks
    last = len(clauses) - 1
    for number in range(last, -1, -1):
        clause = clauses[number]
        after = number + 1
        goes_on = number < last and sentences[after] == sentences[number]
        then = goes_on and (after in reading.mentioned or _answers(clauses[after], asked, marks))
        alternatives = goes_on and after in reading.mentioned and marks["or_else"].search(clauses[after])
        doubtful = (marks["alternatives"].search(clause) or marks["or_else"].search(clause)) and any(
            is_unsure(c, marks) for c, s in zip(clauses[number:], sentences[number:], strict=True)
            if s == sentences[number]
        )  # fmt: skip
        said_before = len(clause) > FEW and any(clause in fold(m.question) for m in asked)
        asked_back = (
            number in questioned and goes_on and bool(_about(clause, asked, vocabulary, reading.phrases))
        )
        left_open = said_before and goes_on and marks["vague"].search(clauses[after])
        if number in quoted and (
            marks["mention"].search(clause) or len(clause) < 2 or is_unsure(clause, marks)
        ):
            reading.mentioned[number] = quoted[number]
        elif (
            marks["open_question"].search(clause)
            or alternatives
            or doubtful
            or left_open
            or asked_back
            or (then and marks["mention"].search(clause))
        ):
            reading.mentioned[number] = _about(clause, asked, vocabulary, reading.phrases)
        elif number in quoted and bare(clause, marks):
            for name in quoted[number]:
                value = _means(name, str(bare(clause, marks)), reading)
                if value:
                    reading.tell(number, name, value, clause)
        elif wants_to_know(clause, questioned.get(number, False), marks):
            reading.mentioned[number] = (
                _about(clause, asked, vocabulary, reading.phrases) if then and goes_on else ()
            )
            reading.asks_back |= not reading.mentioned[number]
        elif marks["supposedly"].search(clause) and any(
            marks["actually"].search(c) for c in clauses[after : after + 2]
        ):
            reading.mentioned[number] = ()
    return clauses


def _answers(clause: str, asked: Sequence[MissingFact], marks: Marks) -> bool:
    """Whether a clause is a yes, a no, a not knowing, or the words of a question with or without 没."""
    return bare(clause, marks) is not None or any(said_back(clause, fold(m.question), marks) for m in asked)


def _repeats(words: str, asked: Sequence[MissingFact], vocabulary: Vocabulary) -> tuple[str, ...]:
    """The facts whose name or question the words are taken from."""
    said = fold(words).strip()
    return tuple(
        m.fact
        for m in asked
        if said in fold(m.question) or said in fold(vocabulary.facts[m.fact].label)
        or fold(vocabulary.facts[m.fact].label) in said
    )  # fmt: skip


def _about(
    clause: str, asked: Sequence[MissingFact], vocabulary: Vocabulary, phrases: Phrases
) -> tuple[str, ...]:
    """The questions that a clause speaks of: whose words it repeats, else whose topic or values it names."""
    marks = phrases.marks
    words = marks["asking_words"].sub("", marks["vague"].sub("", marks["unsure"].sub("", clause)))
    pairs = {a + b for a, b in pairwise(words)}
    alike: dict[str, float] = {}
    for m in asked:
        theirs = fold(m.question + "，" + vocabulary.facts[m.fact].label)
        alike[m.fact] = sum(pair in theirs for pair in pairs) / len(pairs) if pairs else 0.0
    most = max(alike.values(), default=0.0)
    if most >= ALIKE:
        return tuple(name for name, share in alike.items() if share == most)
    topics = []
    values = []
    for m in asked:
        answers = phrases.facts.get(m.fact)
        if answers and answers.topic and answers.topic.search(words):
            topics.append(m.fact)
        elif answers and value_in(words, answers, True, marks):
            values.append(m.fact)
    return tuple(topics or values)


def _read_unknown(
    clauses: Sequence[str],
    asked: Sequence[MissingFact],
    vocabulary: Vocabulary,
    reading: _Reading,
) -> None:
    """不清楚: about what the clause names, else about what the clauses before it mention.

    Where neither names a fact, a single question is meant; of several, what :func:`_read_bare` takes.
    """
    marks, sentences = reading.phrases.marks, reading.sentences
    for number, clause in enumerate(clauses):
        if number - 1 in reading.mentioned and marks["vague"].search(clause):
            reading.mentioned[number] = reading.mentioned[number - 1]
            for name in reading.mentioned[number]:
                reading.tell(number, name, UNKNOWN, clause, -1)
            continue
        if not is_unsure(clause, marks) or any(marks[m].search(clause) for m in ("rest", "every")):
            continue
        if points_to(clause, len(asked), reading.phrases)[0]:
            continue
        if number and points_to(clauses[number - 1], len(asked), reading.phrases)[0]:
            continue
        names = reading.mentioned.get(number) or _about(clause, asked, vocabulary, reading.phrases)
        before = number - 1
        while not names and before >= 0 and sentences[before] == sentences[number]:
            names = reading.mentioned.get(before, ())
            if not names and (marks["this"].search(clause) or marks["vague"].search(clauses[before])):
                names = _about(clauses[before], asked, vocabulary, reading.phrases)
                reading.mentioned[before] = names
            elif not names and _tells(clauses[before], reading):
                break
            before -= 1
        if not names and len(asked) == 1:
            names = (asked[0].fact,)
        for name in names:
            reading.tell(number, name, UNKNOWN, clause, DENIED - 1 if marks["hearsay"].search(clause) else -1)


def _tells(clause: str, reading: _Reading) -> bool:
    """Whether a clause says a value of something that was asked."""
    answers = (reading.phrases.facts.get(name) for name in reading.asked)
    return any(
        a is not None and value_in(clause, a, True, reading.phrases.marks) is not None for a in answers
    )


def _read_contents(
    clauses: Sequence[str], reading: _Reading, names: Sequence[str], also: Iterable[str] = ()
) -> None:
    """Values said in so many words: of the facts asked about in any wording, of others only where it is plain."""
    marks = reading.phrases.marks
    free = [name for name in reading.phrases.facts if name in set(also)]
    pointed: tuple[int, ...] = ()
    for number, clause in enumerate(clauses):
        here, body = points_to(clause, len(names), reading.phrases)
        pointed = here or pointed
        wanted = [names[i] for i in pointed] if pointed else list(names)
        if body:
            pointed = ()
        if marks["all_of_them"].fullmatch(body) or number in reading.mentioned or is_unsure(body, marks):
            continue
        for name, answers in reading.phrases.facts.items():
            if found := value_in(body, answers, name in wanted, marks):
                reading.tell(number, name, found.value, clause, found.rank)
                for other, value in found.also.items() if name in names else ():
                    reading.tell(number, other, value, clause, BROUGHT)
        if number in reading.by_clause or len(body) > SHORT_CLAUSE:
            continue
        for name in free:
            if found := value_in(body, reading.phrases.facts[name], True, marks):
                reading.tell(number, name, found.value, clause, found.rank)
    for name in names:  # 事业编，不是党员: what only two clauses say together
        answers_of = reading.phrases.facts.get(name)
        if name in reading.told or answers_of is None:
            continue
        for number, pair in enumerate(pairwise(clauses)):
            if {number, number + 1} & reading.mentioned.keys() or any(is_unsure(c, marks) for c in pair):
                continue
            if found := value_in("".join(pair), answers_of, True, marks):
                reading.tell(number, name, found.value, "，".join(pair), found.rank)


def _read_lexicon(
    found: Sequence[Fact],
    clauses: Sequence[str],
    reading: _Reading,
    names: Sequence[str],
    vocabulary: Vocabulary,
    every: bool,
) -> None:
    """What the lexicon reads fills what the wordings left open."""
    taken = set(reading.told)
    understood = [t.words for t in reading.told.values()]
    doubtful = [
        c for n, c in enumerate(clauses) if n in reading.mentioned or is_unsure(c, reading.phrases.marks)
    ]
    for fact in found:
        kind = vocabulary.facts[fact.name]
        spent = any(fold(fact.evidence).lower() in clause for clause in understood)
        words = fold(fact.evidence).lower()
        if any(words in clause for clause in doubtful) or _of_another(words, fact.name, clauses, reading):
            continue
        wanted = fact.name in names or (every and kind.about != "question" and not spent)
        if wanted and fact.name not in taken and kind.kind != "many" and fact.confidence >= SURE:
            reading.told.setdefault(fact.name, Told(fact.name, fact.value, fact.evidence))
            reading.ranks.setdefault(fact.name, 0)


def _of_another(words: str, name: str, clauses: Sequence[str], reading: _Reading) -> bool:
    """Whether what stands right after the words says them of somebody else, or denies them."""
    answers, marks = reading.phrases.facts.get(name), reading.phrases.marks
    ends = [(c, c.index(words) + len(words)) for c in clauses if words in c]
    return answers is not None and any(
        somebody_else(c, end, answers, marks) or marks["denied_after"].match(c[end:]) for c, end in ends
    )


# ------------------------------------------------------------------ a bare yes, no, or don't know


def _read_bare(clauses: Sequence[str], questions: Sequence[MissingFact], reading: _Reading) -> None:
    """有、不是、不清楚 by themselves, for the question they stand beside."""
    asked, marks = reading.asked, reading.phrases.marks
    if not asked:
        return
    pointed: tuple[int, ...] = ()
    only = not reading.told and len(clauses) <= 2
    for number, clause in enumerate(clauses):
        here, body = points_to(clause, len(asked), reading.phrases)
        if here and not body:
            pointed = here
            continue
        if number in reading.by_clause or number in reading.mentioned:
            pointed = ()
            continue
        mentioned = reading.mentioned.get(number - 1, ())
        every = marks["every"].search(body) is not None
        rest = marks["rest"].search(body) is not None
        meant = bare(body, marks)
        if meant is None and (every or rest):
            without = marks["rest"].sub("", marks["every"].sub("", body))
            meant = bare(without, marks) if without else None
        if meant is None:
            _about_topic(body, questions, reading, number)
            pointed = ()
            continue
        if here or pointed:
            targets = [asked[i] for i in here or pointed]
        elif mentioned:
            targets = list(mentioned)
        elif every and meant != UNKNOWN and _beside(number, meant, clauses, reading):
            pointed = ()
            continue
        elif every or rest or (meant == UNKNOWN and only):
            targets = [name for name in asked if name not in reading.told]
        elif _beside(number, meant, clauses, reading):
            pointed = ()
            continue
        else:
            open_ones = [n for n in asked if n not in reading.told and _means(n, meant, reading) is not None]
            targets = open_ones[:1]
        pointed = ()
        for name in targets:
            value = _means(name, meant, reading)
            if value is not None and (name not in reading.told or len(asked) == 1):
                reading.tell(number, name, value, clause, -1)


def _takes_back(clauses: Sequence[str], reading: _Reading) -> None:
    """提没提过，记不清了: to a single question, a last clause that only says so outweighs the ones before."""
    if len(reading.asked) != 1 or len(clauses) < 2 or reading.phrases.marks["rest"].search(clauses[-1]):
        return
    last = filled(clauses[-1], reading.phrases.marks)
    found = reading.phrases.marks["unsure"].match(last)
    if found and len(last) - found.end() <= 1:
        reading.tell(len(clauses) - 1, reading.asked[0], UNKNOWN, clauses[-1], -1)


def _means(name: str, meant: str, reading: _Reading) -> str | None:
    if meant == UNKNOWN:
        return UNKNOWN
    answers = reading.phrases.facts.get(name)
    return answers.plain.get(meant) if answers else meant


def _beside(number: int, meant: str, clauses: Sequence[str], reading: _Reading) -> bool:
    """Whether the clause before or after says in full what the bare word says; 也 says something more."""
    asked, links = reading.asked, reading.phrases.marks["links"]
    if len(asked) == 1 and asked[0] in reading.told:
        told, means = reading.told[asked[0]], _means(asked[0], meant, reading)
        turns = any(links.search(c) for c in clauses[number + 1 :])
        # 没有，支书是我叔: what follows a plain no is no yes, unless it turns
        return not (number == 0 and meant == "no" and means == "no" and told.value == "yes" and not turns)
    for near in (number + 1, number - 1):
        same = 0 <= near < len(clauses) and reading.sentences[near] == reading.sentences[number]
        if not same or reading.phrases.marks["also"].search(clauses[max(near, number)]):
            continue
        for name in reading.by_clause.get(near, ()):
            if name in asked and _means(name, meant, reading) in (reading.told[name].value, None):
                return True
    return False


def _about_topic(body: str, asked: Sequence[MissingFact], reading: _Reading, number: int) -> None:
    """没担任: the words of the question; 反对意见有的、权限没有: its topic."""
    marks = reading.phrases.marks
    if asks(body, marks):
        return
    for m in asked:
        answers = reading.phrases.facts.get(m.fact)
        if m.fact in reading.told or not answers:
            continue
        meant = said_back(body, fold(m.question), marks)
        value = answers.plain.get(meant) if meant else on_topic(body, answers, marks)
        if value:
            reading.tell(number, m.fact, value, body)
            return


# ------------------------------------------------------------------ suppositions and questions


def _what_if(
    clauses: Sequence[str],
    names: Sequence[str],
    found: Sequence[Fact],
    vocabulary: Vocabulary,
    phrases: Phrases,
    text: str,
) -> Reply:
    """The facts that are only supposed; without any it is an ordinary question that begins with 如果."""
    reading = _Reading(tuple(names), phrases)
    _read_contents(what_is_supposed(clauses, phrases), reading, names, also=phrases.facts)
    _read_lexicon(found, clauses, reading, names, vocabulary, every=True)
    about_rules = {f.name for f in found if f.value == "yes"} & {"asks_remedy", "asks_period"}
    if not reading.told or (about_rules and set(reading.told) <= {"stage", "decided_by", "subject"}):
        return Reply("question", rest=text.strip())
    return Reply("what_if", tuple(reading.told.values()))


def _is_question(text: str, found: Sequence[Fact], reading: _Reading) -> bool:
    """A question about the rules in between; one that tells something as well is none."""
    is_yes = {f.name for f in found if f.value == "yes"}
    marks = reading.phrases.marks
    cited = marks["cites"].search(text) is not None
    plain = fold(text).strip()
    if not any(asks(c, marks) for c in re.findall(r"[^，。；！]+", plain)):
        return False
    if "narrates" in is_yes:
        return False
    if reading.told and ("？" not in plain or not is_yes & {"asks_remedy", "asks_period"}):
        return False
    about_rules = bool(is_yes & {"asks_rule", "asks_remedy", "asks_period"}) or cited
    happened = is_yes & {"own_violation", "duty_failure", "ordinary_matter"}
    verdict = "asks_verdict" in is_yes and not is_yes & {"asks_remedy", "asks_period"} and not cited
    return about_rules and not verdict and not (happened and len(text) > STORY)


def _changes(told: Told, facts: Sequence[Fact]) -> bool:
    values = {f.value for f in facts if f.name == told.name}
    return told.value != UNKNOWN and bool(values) and told.value not in values
