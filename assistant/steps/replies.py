"""What a person says after an answer: an answer to the questions, a correction, a supposition, or something new.

Comes in: the words, the questions that were asked, what is known so far. Goes out: :class:`Reply`. Nothing is
read from files here, and nothing is raised; what is not understood is handed back as ``rest``.

How it is read: clause by clause. A clause that says a value counts for the fact it names; a bare 有、不是、不清楚
counts for the question pointed to (第一个、后两个), else for the next one not answered yet, and for none where
the clause beside it already says the same in full. Four things go before:

- Words that only repeat a question say nothing of its answer (有没有权限、是违规还是失职); they point to it.
- 不清楚 outweighs what else the same sentence says of the fact it is about.
- 不是 turns the value of a yes-or-no fact round and rules out the value of any other; what is said without it
  counts more (不是书记，但是支部委员).
- A value may bring that of another fact with it (没有违规，是没管好), if nothing else is said of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from assistant.law.lexicon import Lexicon
from assistant.law.phrases import Phrases, Way
from assistant.law.reading import Story, read_story
from assistant.law.text import fold
from assistant.law.vocabulary import Vocabulary
from assistant.model import Fact, MissingFact

ReplyKind = Literal["answer", "correction", "what_if", "new_situation", "same_situation", "more", "question"]
UNKNOWN = "unknown"
SURE = 0.6  # what the lexicon reads less surely does not set a fact
SHORT_CLAUSE = 16  # characters; a longer one with 不清楚 in it tells a story
TELLING_CLAUSE = 12  # characters; one that sets a fact says nothing else if it is shorter
STORY = 25  # characters from which a text may begin another situation by itself
NEAR = 4  # characters between 不是 and what it denies
ALIKE = 0.5  # share of the words of a clause from which it repeats a question
DENIED, BROUGHT = 100, 200  # ranks: values said by denying another, values that another one brings
_CUT = re.compile(
    r"[，。；！？!?;,\s、]+|(?<=[一-鿿])(?=(?:但是?|不过|可是|只是(?=没)|就是(?=没)|然而|而是))"
)
_SENTENCE = re.compile(r"[。；！!;\n]+")
_QUOTED = re.compile(r"[“‘\"'【]([^”’\"'】]+)[”’\"'】]")
_OPEN = re.compile(
    r"是否|有无|(?<![该应])([一-鿿])[不没]\1|(?<![该应])([一-鿿])没有?\2|([一-鿿]{2})[不没]\3"
)  # 有没有、归不归、提没提
_ASKING = re.compile(
    r"有没有|有无|是不是|是否|算不算|到底|究竟|还是|[这那]一?(?:条|点|项|块|些|回事|件事|个问题|个说法|方面|个)"
)
_OR = re.compile(r"[一-鿿]还是[一-鿿]|哪(?:件|个|些|家|一)|谁(?!也|都)")
_OR_ELSE = re.compile(r"^还是")
_THIS = re.compile(r"^(?:[这那]|以上|上面)")
_MENTION = re.compile(
    r"(?<!没)(?<!没有)(?<!不是)(?<!哪有)[这那]一?(?:条|点|项|块|些|回事|件事|个问题|个说法|方面|事)(?:上|嘛|呢|吧|的话)?$"
)
_NOT = re.compile(
    r"(?<![是要])(?:并不是|不是|并非|谈不上|算不上|说不上|不能说|不属于|不存在|不算(?!数))"
    r"|没有(?=该[^，]{2,12}的?(?:事|地方|情况|问题|情形|环节)?$|没)"
)
_TURNED = {"yes": "no", "no": "yes"}
_NUMBERED = re.compile(r"(?<![0-9第])([1-3])[.、:：）)](?=\D)|(?<=[一-鿿])([23])(?=[是有没不无归否记])")
_CIRCLED = re.compile("[①②③]")
_BUT = re.compile(r"^(?:但是?|不过|可是|然而|而是|而且|并且|因为|所以|那么?|然后|就是|只是)")
_ALL_OF_THEM = re.compile(r"(?:三个|两个|几个)?(?:都|全|全都)(?:有|是|没有|没|不是|对)[吧啊呀的了]*")
_FILLER = re.compile(r"^(?:我|他|她|这|那|个|问题|这个|那个|嗯|哦|啊|额|呃|的|是|方面|一点|里|上)*")
_ASKS = re.compile(
    r"[?？]|(?:吗|么|(?<![着了的])呢)$|多久|多长|几(?:天|年|个月)|(?<!没)(?<!说)什么|怎么|如何|哪|是否|能不能|可不可以|要不要"
)
_NONE = re.compile(
    r"没(?:有)?[^，。；？?]{0,4}(?:什么|哪(?!里|儿))|怎么[^，。；？?]{1,4}就怎么"
)  # ask nothing
_CITES = re.compile(r"《|第[一二三四五六七八九十百\d]+条|条例|规定")
_AFTER_SUPPOSING = re.compile(r"^(?:那|就|是不是|会|还会|结论|结果|我还|还|又)")


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
    by_clause: dict[int, list[str]] = field(default_factory=dict)
    mentioned: dict[int, tuple[str, ...]] = field(default_factory=dict)  # clauses that only repeat a question

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
    clauses = _clauses(text, phrases)
    marks = phrases.marks
    if any(marks["back"].search(c) for c in clauses):
        rest = _join(c for c in clauses if not marks["back"].search(c))
        return Reply("same_situation", rest=rest)
    if _supposed(clauses, phrases):
        return _what_if(clauses, names, found, vocabulary, phrases, text)
    if _begins_anew(clauses, phrases):
        rest = _join(c for c in clauses if not _is_opening(c, phrases))
        return Reply("new_situation", rest=rest or text.strip())
    reading = _Reading(names, phrases)
    known = {f.name for f in facts} - set(names)
    clauses, sentences = _without_echo(text, asked, vocabulary, reading)
    corrects = any(
        marks["corrects"].search(_BUT.sub("", c))
        for n, c in enumerate(clauses[:2])
        if n not in reading.mentioned and n - 1 not in reading.mentioned
    )
    _read_unknown(clauses, sentences, asked, vocabulary, reading)
    _read_contents(clauses, reading, names, also=known if corrects else ())
    _read_lexicon(found, clauses, reading, names, vocabulary, every=corrects)
    answered = any(n - 1 in reading.mentioned and _bare(c, marks) for n, c in enumerate(clauses))
    if not answered and _is_question(text, found, reading):
        return Reply("question", rest=text.strip())
    if not corrects:
        _read_bare(clauses, reading)
        _takes_back(clauses, reading)
    if told_before and _is_another(text, found, told_before, lexicon, phrases):
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


def _clauses(text: str, phrases: Phrases) -> list[str]:
    """The words in pieces, in one form; （1）… 2… begin a piece of their own."""
    plain = fold(text).strip().lower()
    plain = _CIRCLED.sub(lambda m: f"，第{'①②③'.index(m[0]) + 1}个，", plain)
    plain = _NUMBERED.sub(lambda m: f"，第{m[1] or m[2]}个，", plain)
    return [piece for piece in _CUT.split(plain) if piece]


def _join(clauses: Iterable[str]) -> str:
    return "，".join(clauses)


def _rest(clauses: Sequence[str], reading: _Reading) -> str:
    """Clauses that belong to the story: they say enough, and no fact was set by all of what they say."""
    marks = reading.phrases.marks
    kept = []
    for number, clause in enumerate(clauses):
        if len(clause) < (TELLING_CLAUSE if number in reading.by_clause else 4):
            continue
        if any(marks[m].search(clause) for m in ("corrects", "every", "rest", "unsure")):
            continue
        if _pointed(clause, len(reading.asked), reading.phrases)[0]:
            continue
        kept.append(clause)
    return _join(kept)


# ------------------------------------------------------------------ what a clause says


@dataclass(frozen=True)
class _Found:
    """A value found in a clause. The lower the rank, the more it counts; ``also``: values it brings with it."""

    start: int
    end: int
    rank: int
    value: str
    also: Mapping[str, str]


def _value_in(clause: str, ways: Sequence[Way], asked: bool) -> _Found | None:
    """The value of the first way found; one that lies inside the words of another does not count."""
    found: list[_Found] = []
    for rank, way in enumerate(ways):
        for regex in (*way.said_regexes, *(way.asked_regexes if asked else ())):
            for match in regex.finditer(clause):
                if match.end() > match.start() and (one := _as_meant(match, rank, way, clause)):
                    found.append(one)
    kept = [
        a
        for a in found
        if not any(
            b.start <= a.start
            and a.end <= b.end
            and (b.end - b.start) > (a.end - a.start)
            and b.value != a.value
            for b in found
        )
    ]
    return min(kept, key=lambda one: one.rank, default=None)


def _as_meant(match: re.Match[str], rank: int, way: Way, clause: str) -> _Found | None:
    """What a way says where 不是 stands before it: the other of yes and no, or nothing."""
    start, end = match.span()
    value, also = way.value, way.also
    for denied in _NOT.finditer(clause):
        if denied.start() <= start < denied.end():  # the way has the denial in its own words
            rank += DENIED
            break
        if 0 <= start - denied.end() <= NEAR:
            if value not in _TURNED:
                return None
            value = _TURNED[value]
            also = {name: _TURNED[one] for name, one in also.items() if one in _TURNED}
            start, rank = denied.start(), rank + DENIED
            break
    return _Found(start, end, rank, value, also)


# ------------------------------------------------------------------ what only repeats a question


def _without_echo(
    text: str, asked: Sequence[MissingFact], vocabulary: Vocabulary, reading: _Reading
) -> tuple[list[str], list[int]]:
    """The clauses without quoted questions, and the sentence of each; notes which clauses only mention."""
    clauses: list[str] = []
    sentences: list[int] = []
    quoted: dict[int, tuple[str, ...]] = {}
    questioned: set[int] = set()
    for sentence, words in enumerate(_SENTENCE.split(fold(text))):
        about: tuple[str, ...] = ()
        plain = words
        for match in _QUOTED.finditer(words):
            if repeats := _repeats(match[1], asked, vocabulary):
                about = (*about, *repeats)
                plain = plain.replace(match[0], "")
        for piece in re.findall(r"[^？]+？?", plain):
            for clause in _clauses(piece.lstrip("：:，"), reading.phrases):
                if about:
                    quoted[len(clauses)] = about
                    about = ()
                elif piece.endswith("？"):
                    questioned.add(len(clauses))
                clauses.append(clause)
                sentences.append(sentence)
    marks = reading.phrases.marks
    last = len(clauses) - 1
    for number in range(last, -1, -1):
        clause = clauses[number]
        after = number + 1
        goes_on = number < last and sentences[after] == sentences[number]
        then = goes_on and (after in reading.mentioned or _bare(clauses[after], marks) is not None)
        alternatives = goes_on and after in reading.mentioned and _OR_ELSE.search(clauses[after])
        doubtful = (_OR.search(clause) or _OR_ELSE.search(clause)) and any(
            _is_unsure(c, marks) for c, s in zip(clauses[number:], sentences[number:], strict=True)
            if s == sentences[number]
        )  # fmt: skip
        said_before = len(clause) > NEAR and any(clause in fold(m.question) for m in asked)
        asked_back = (
            number in questioned and goes_on and bool(_about(clause, asked, vocabulary, reading.phrases))
        )
        left_open = said_before and goes_on and marks["vague"].search(clauses[after])
        if number in quoted and (_MENTION.search(clause) or len(clause) < 2 or _is_unsure(clause, marks)):
            reading.mentioned[number] = quoted[number]
        elif (
            _OPEN.search(clause)
            or alternatives
            or doubtful
            or left_open
            or asked_back
            or (then and _MENTION.search(clause))
        ):
            reading.mentioned[number] = _about(clause, asked, vocabulary, reading.phrases)
        elif number in quoted and _bare(clause, marks):
            for name in quoted[number]:
                value = _means(name, str(_bare(clause, marks)), reading)
                if value:
                    reading.tell(number, name, value, clause)
    return clauses, sentences


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
    words = _ASKING.sub("", marks["vague"].sub("", marks["unsure"].sub("", clause)))
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
        elif answers and _value_in(words, answers.ways, True):
            values.append(m.fact)
    return tuple(topics or values)


def _read_unknown(
    clauses: Sequence[str],
    sentences: Sequence[int],
    asked: Sequence[MissingFact],
    vocabulary: Vocabulary,
    reading: _Reading,
) -> None:
    """不清楚: about what the clause names, else about what the clauses before it mention.

    Where neither names a fact, a single question is meant; of several, what :func:`_read_bare` takes.
    """
    marks = reading.phrases.marks
    for number, clause in enumerate(clauses):
        if number - 1 in reading.mentioned and marks["vague"].search(clause):
            reading.mentioned[number] = reading.mentioned[number - 1]
            for name in reading.mentioned[number]:
                reading.tell(number, name, UNKNOWN, clause, -1)
            continue
        if not _is_unsure(clause, marks) or any(marks[m].search(clause) for m in ("rest", "every")):
            continue
        if _pointed(clause, len(asked), reading.phrases)[0]:
            continue
        if number and _pointed(clauses[number - 1], len(asked), reading.phrases)[0]:
            continue
        names = reading.mentioned.get(number) or _about(clause, asked, vocabulary, reading.phrases)
        before = number - 1
        while not names and before >= 0 and sentences[before] == sentences[number]:
            names = reading.mentioned.get(before, ())
            if not names and (_THIS.search(clause) or marks["vague"].search(clauses[before])):
                names = _about(clauses[before], asked, vocabulary, reading.phrases)
                reading.mentioned[before] = names
            elif not names and _tells(clauses[before], reading):
                break
            before -= 1
        if not names and len(asked) == 1:
            names = (asked[0].fact,)
        for name in names:
            reading.tell(number, name, UNKNOWN, clause, -1)


def _tells(clause: str, reading: _Reading) -> bool:
    """Whether a clause says a value of something that was asked."""
    answers = (reading.phrases.facts.get(name) for name in reading.asked)
    return any(a is not None and _value_in(clause, a.ways, True) is not None for a in answers)


def _read_contents(
    clauses: Sequence[str], reading: _Reading, names: Sequence[str], also: Iterable[str] = ()
) -> None:
    """Values said in so many words: of the facts asked about in any wording, of others only where it is plain."""
    marks = reading.phrases.marks
    free = [name for name in reading.phrases.facts if name in set(also)]
    pointed: tuple[int, ...] = ()
    for number, clause in enumerate(clauses):
        here, body = _pointed(clause, len(names), reading.phrases)
        pointed = here or pointed
        wanted = [names[i] for i in pointed] if pointed else list(names)
        if body:
            pointed = ()
        if _ALL_OF_THEM.fullmatch(body) or number in reading.mentioned or _is_unsure(body, marks):
            continue
        for name, answers in reading.phrases.facts.items():
            if found := _value_in(body, answers.ways, name in wanted):
                reading.tell(number, name, found.value, clause, found.rank)
                for other, value in found.also.items() if name in names else ():
                    reading.tell(number, other, value, clause, BROUGHT)
        if number in reading.by_clause or len(body) > SHORT_CLAUSE:
            continue
        for name in free:
            if found := _value_in(body, reading.phrases.facts[name].ways, True):
                reading.tell(number, name, found.value, clause, found.rank)
    for name in names:  # 事业编，不是党员: what only two clauses say together
        answers_of = reading.phrases.facts.get(name)
        if name in reading.told or answers_of is None:
            continue
        for number, pair in enumerate(pairwise(clauses)):
            if {number, number + 1} & reading.mentioned.keys() or any(_is_unsure(c, marks) for c in pair):
                continue
            if found := _value_in("".join(pair), answers_of.ways, True):
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
        c for n, c in enumerate(clauses) if n in reading.mentioned or _is_unsure(c, reading.phrases.marks)
    ]
    for fact in found:
        kind = vocabulary.facts[fact.name]
        spent = any(fold(fact.evidence).lower() in words for words in understood)
        if any(fold(fact.evidence).lower() in words for words in doubtful):
            continue
        wanted = fact.name in names or (every and kind.about != "question" and not spent)
        if wanted and fact.name not in taken and kind.kind != "many" and fact.confidence >= SURE:
            reading.told.setdefault(fact.name, Told(fact.name, fact.value, fact.evidence))
            reading.ranks.setdefault(fact.name, 0)


def _pointed(clause: str, count: int, phrases: Phrases) -> tuple[tuple[int, ...], str]:
    """The questions a clause points to, and its words without the pointing."""
    if not count:
        return (), clause
    several = (("first_two", (0, 1)), ("last_two", (count - 2, count - 1)), ("last", (count - 1,)))
    for name, numbers in several:
        found = phrases.marks[name].search(clause)
        if found:
            return tuple(n for n in numbers if 0 <= n < count), _without(clause, found)
    for n, regex in enumerate(phrases.ordinals[:count]):
        found = regex.search(clause)
        if found:
            return (n,), _without(clause, found)
    return (), clause


def _without(clause: str, found: re.Match[str]) -> str:
    return (clause[: found.start()] + clause[found.end() :]).strip("是：: ") or (
        "是" if clause.endswith("是") else ""
    )


# ------------------------------------------------------------------ a bare yes, no, or don't know


def _read_bare(clauses: Sequence[str], reading: _Reading) -> None:
    """有、不是、不清楚 by themselves, for the question they stand beside."""
    asked, marks = reading.asked, reading.phrases.marks
    if not asked:
        return
    pointed: tuple[int, ...] = ()
    only = not reading.told and len(clauses) <= 2
    for number, clause in enumerate(clauses):
        here, body = _pointed(clause, len(asked), reading.phrases)
        if here and not body:
            pointed = here
            continue
        if number in reading.by_clause or number in reading.mentioned:
            pointed = ()
            continue
        mentioned = reading.mentioned.get(number - 1, ())
        every = marks["every"].search(body) is not None
        rest = marks["rest"].search(body) is not None
        meant = _bare(body, marks)
        if meant is None and (every or rest):
            cut = marks["rest"].sub("", marks["every"].sub("", body))
            meant = _bare(cut, marks) if cut else None
        if meant is None:
            _about_topic(body, reading, number)
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
            if value is not None and name not in reading.told:
                reading.tell(number, name, value, clause)


def _bare(clause: str, marks: Mapping[str, re.Pattern[str]]) -> str | None:
    body = _BUT.sub("", clause)
    for meaning, name in (("no", "deny"), ("yes", "agree")):
        if marks[name].fullmatch(body) or marks[name].fullmatch(_FILLER.sub("", body) or body):
            return meaning
    return UNKNOWN if _is_unsure(body, marks) else None


def _is_unsure(clause: str, marks: Mapping[str, re.Pattern[str]]) -> bool:
    """不清楚 in a short clause, or as the last word of a longer one."""
    found = marks["unsure"].search(clause)
    return found is not None and (len(clause) <= SHORT_CLAUSE or len(clause) - found.end() <= 1)


def _takes_back(clauses: Sequence[str], reading: _Reading) -> None:
    """提没提过，记不清了: to a single question, a last clause that only says so outweighs the ones before."""
    if len(reading.asked) != 1 or len(clauses) < 2 or reading.phrases.marks["rest"].search(clauses[-1]):
        return
    last = _FILLER.sub("", clauses[-1])
    found = reading.phrases.marks["unsure"].match(last)
    if found and len(last) - found.end() <= 1:
        reading.tell(len(clauses) - 1, reading.asked[0], UNKNOWN, clauses[-1], -1)


def _means(name: str, meant: str, reading: _Reading) -> str | None:
    if meant == UNKNOWN:
        return UNKNOWN
    answers = reading.phrases.facts.get(name)
    return answers.plain.get(meant) if answers else meant


def _beside(number: int, meant: str, clauses: Sequence[str], reading: _Reading) -> bool:
    """Whether the clause before or after says in full what the bare word says."""
    for near in (number + 1, number - 1):
        for name in reading.by_clause.get(near, ()):
            told = reading.told.get(name)
            means = _means(name, meant, reading)
            if told and name in reading.asked and means in (told.value, None):
                return True
    return len(reading.asked) == 1 and reading.asked[0] in reading.told


_DENIES = re.compile(r"没|不|无|否")
_AFFIRMS = re.compile(r"有|是|了$|过$|的$")


def _about_topic(clause: str, reading: _Reading, number: int) -> None:
    """反对意见有的、权限没有: the topic of a question with a word of having."""
    if len(clause) > SHORT_CLAUSE or _ASKS.search(clause):
        return
    for name in reading.asked:
        answers = reading.phrases.facts.get(name)
        if name in reading.told or not answers or not answers.topic or not answers.topic.search(clause):
            continue
        meant = "no" if _DENIES.search(clause) else "yes" if _AFFIRMS.search(clause) else ""
        value = answers.plain.get(meant)
        if value:
            reading.tell(number, name, value, clause)
            return


# ------------------------------------------------------------------ suppositions, questions, other matters


def _supposed(clauses: Sequence[str], phrases: Phrases) -> bool:
    marks = phrases.marks
    return any(marks["supposes"].search(c) and not marks["not_supposing"].search(c) for c in clauses)


def _what_if(
    clauses: Sequence[str],
    names: Sequence[str],
    found: Sequence[Fact],
    vocabulary: Vocabulary,
    phrases: Phrases,
    text: str,
) -> Reply:
    """The facts that are only supposed; without any it is an ordinary question that begins with 如果."""
    marks = phrases.marks
    supposed = [
        marks["suppose_words"].sub("", c)
        for c in clauses
        if not _AFTER_SUPPOSING.search(c) or c == clauses[0]
    ]
    reading = _Reading(tuple(names), phrases)
    _read_contents([c for c in supposed if c], reading, names, also=phrases.facts)
    _read_lexicon(found, clauses, reading, names, vocabulary, every=True)
    asks = {f.name for f in found if f.value == "yes"} & {"asks_remedy", "asks_period"}
    if not reading.told or (asks and set(reading.told) <= {"stage", "decided_by", "subject"}):
        return Reply("question", rest=text.strip())
    return Reply("what_if", tuple(reading.told.values()))


def unsupposed(text: str, phrases: Phrases) -> str:
    """The words of a supposition as if they were told: 如果我反对了呢 → 我反对了.

    Only these can be read for facts; the lexicon leaves out what is supposed.
    """
    marks = phrases.marks
    clauses = _clauses(text, phrases)
    if not _supposed(clauses, phrases):
        return text
    kept = [
        marks["suppose_words"].sub("", c)
        for c in clauses
        if not _AFTER_SUPPOSING.search(c) or c == clauses[0]
    ]
    return _join(c for c in kept if c)


def _is_question(text: str, found: Sequence[Fact], reading: _Reading) -> bool:
    """A question about the rules in between; one that tells something as well is none."""
    is_yes = {f.name for f in found if f.value == "yes"}
    cited = _CITES.search(text) is not None
    plain = fold(text).strip()
    if not _ASKS.search(_NONE.sub("没", plain)) or "narrates" in is_yes:
        return False
    if reading.told and ("？" not in plain or not is_yes & {"asks_remedy", "asks_period"}):
        return False
    asks = bool(is_yes & {"asks_rule", "asks_remedy", "asks_period"}) or cited
    happened = is_yes & {"own_violation", "duty_failure", "ordinary_matter"}
    verdict = "asks_verdict" in is_yes and not is_yes & {"asks_remedy", "asks_period"} and not cited
    return asks and not verdict and not (happened and len(text) > STORY)


def _is_opening(clause: str, phrases: Phrases) -> bool:
    marks = phrases.marks
    return marks["another"].search(clause) is not None and not marks["not_another"].search(clause)


def _begins_anew(clauses: Sequence[str], phrases: Phrases) -> bool:
    marks = phrases.marks
    if any(marks["not_another"].search(c) for c in clauses[:2]):
        return False
    return any(_is_opening(c, phrases) for c in clauses[:2])


_TELLING = frozenset(
    {"subject", "own_violation", "duty_failure", "consequence", "violation_kind", "ordinary_matter", "stage"}
)


def _is_another(
    text: str, found: Sequence[Fact], told_before: str, lexicon: Lexicon, phrases: Phrases
) -> bool:
    """Whether a text tells another matter: whole by itself, about somebody else, not looking back."""
    names = {f.name for f in found}
    if len(text) < STORY or len(names & _TELLING) < 2 or "narrates" not in names:
        return False
    first = _join(_clauses(text, phrases)[:2])
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


def _changes(told: Told, facts: Sequence[Fact]) -> bool:
    values = {f.value for f in facts if f.name == told.name}
    return told.value != UNKNOWN and bool(values) and told.value not in values
