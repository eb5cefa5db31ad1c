"""A language model's part in one answer: what it is asked, for how long, and what of its replies is let in.

Comes in: a :class:`Helper`, made once, and the question. Goes out: checked proposals and an
:class:`~assistant.model.Assistance` that says what was done. Raises nothing: whatever goes wrong with the model means
that the answer is made as without it.

What is sent has names, numbers and addresses hidden; they are shown again in what comes back. Both requests run at the
same time. All that an answer waits for the model, together, is at most the time of the settings. What the model wrote
to one question is kept for a few more, under a digest, as a conversation asks of the same story again and again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from assistant.allowance import Allowance
from assistant.errors import ModelError
from assistant.law.corpus import Corpus
from assistant.law.names import Names
from assistant.law.vocabulary import Vocabulary
from assistant.model import Assistance, Citation, Determination
from assistant.ports import ChatModel, Message
from assistant.prompts import Prompts
from assistant.steps.proposals import (
    FACTS,
    QUERY,
    Joined,
    Proposed,
    Terms,
    fact_request,
    legal_terms,
    proposed_facts,
    query_request,
)
from assistant.steps.wording import PROMPT as WORDING
from assistant.steps.wording import Words, checked, wording_request
from assistant.veil import Veil

SHARE_OF_QUERY = 0.3  # of the tokens for one answer
TOKENS_OF_FACTS, TOKENS_OF_QUERY, TOKENS_OF_WORDING = 900, 120, 1500  # of a reply
GRACE = 0.2  # seconds for a model that keeps to its time but not to the tick
REMEMBERED = 32  # replies

Request = tuple[Sequence[Message], Mapping[str, Any] | None]  # messages, and the schema of the reply


@dataclass
class _Replies:
    """The last few replies, under digests of what was asked. In memory only."""

    kept: OrderedDict[bytes, str] = field(default_factory=OrderedDict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: bytes) -> str | None:
        with self.guard:
            return self.kept.get(key)

    def put(self, key: bytes, text: str) -> None:
        with self.guard:
            self.kept[key] = text
            while len(self.kept) > REMEMBERED:
                self.kept.popitem(last=False)

    def clear(self) -> None:
        with self.guard:
            self.kept.clear()


@dataclass(frozen=True)
class Helper:
    """The language model of an office, and what its replies are checked with. Made once.

    Args:
        names: what tells names, for hiding them; read when first needed.
        terms: the terms that may be searched with, normalised, with the ids of their provisions.
        tokens, seconds: for one answer.
        facts: whether it is asked for facts and terms.
        words: what its wording is checked with; None where it is not asked to word answers.
    """

    model: ChatModel
    prompts: Prompts
    vocabulary: Vocabulary
    names: Callable[[], Names]
    terms: Mapping[str, Collection[str]]
    tokens: int
    seconds: float
    facts: bool = True
    words: Words | None = None
    replies: _Replies = field(default_factory=_Replies)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, story: str) -> Help:
        """Help with one answer."""
        return Help(self, story)

    def forget(self) -> None:
        """Ask anew what was asked before: for those who measure what an answer costs."""
        self.replies.clear()

    @cached_property
    def known_names(self) -> Names:
        """What tells names. Reading it takes seconds, so first somebody must be there to send a text to.

        Raises:
            ModelError: nobody is.
        """
        with self.guard:
            known: Names | None = self.__dict__.get("known_names")
            if known is None:
                self.model.connect()
                known = self.__dict__["known_names"] = self.names()
        return known


def told_of(given: Assistance, words: Mapping[str, str], label: Callable[[str], str]) -> tuple[str, str]:
    """What an answer says of the help that it had: with reading and searching, with its wording; "" for none.

    Args:
        words: ``assisted`` of ``prompts/labels.yaml``.
        label: the name of a fact, as people are told.
    """
    said = []
    if given.facts_kept or given.facts_open:
        said.append(words["facts"].format(count=given.facts_kept))
    if given.facts_open:
        said.append(words["open"].format(names="、".join(label(name) for name in given.facts_open)))
    if given.terms:
        said.append(words["terms"].format(terms="、".join(given.terms)))
    read = words["lead"].format(model=given.model) + "；".join(said) if said else ""
    worded = words["sentences"].format(model=given.model, kept=given.sentences_kept, count=given.sentences)
    return read, worded if given.sentences_kept else ""


class Help:
    """What a language model does for one answer. Used by one thread."""

    def __init__(self, helper: Helper, story: str) -> None:
        self._helper = helper
        self._story = story
        self._veil: Veil | None = None
        self._guard = threading.Lock()
        self._left, self._spent, self._tokens = helper.seconds, 0.0, 0
        self._asked: dict[str, _Call] = {}
        self._proposed, self._terms, self._joined = Proposed(), Terms(), Joined()
        self._sentences = (0, 0)
        self._trouble: dict[str, None] = {}
        self._used: dict[str, str] = {}

    def start(self, facts: bool) -> None:
        """Send the requests; nothing is waited for.

        Args:
            facts: whether the facts of the story are wanted, beside terms to search with.
        """
        helper = self._helper
        if not helper.facts:
            return
        share = round(SHARE_OF_QUERY * helper.tokens) if facts else helper.tokens
        if facts:
            self._send(
                FACTS,
                lambda: fact_request(self._hidden(), helper.vocabulary, helper.prompts),
                TOKENS_OF_FACTS,
                helper.tokens - share,
            )
        self._send(QUERY, lambda: query_request(self._hidden(), helper.prompts), TOKENS_OF_QUERY, share)

    def terms(self, about: Callable[[], Collection[str]]) -> tuple[str, ...]:
        """The terms to search with besides; empty where there are none.

        Args:
            about: gives the provisions that the story may be about.
        """
        reply = self._reply(QUERY)
        if reply is not None:
            self._terms = legal_terms(reply, self._story, self._helper.terms, about())
        return self._terms.terms

    def proposed(self) -> Proposed:
        """The facts that hold; none where the model was of no use."""
        reply = self._reply(FACTS)
        if reply is not None:
            show = self._veil.show if self._veil else str
            self._proposed = proposed_facts(reply, self._story, self._helper.vocabulary, show)
        return self._proposed

    def settle(self, joined: Joined) -> None:
        """Remember what became of the proposals."""
        self._joined = joined

    def worded(
        self,
        answer: str,
        made: Determination | None,
        citations: Sequence[Citation],
        corpus: Corpus,
        day: date,
    ) -> str:
        """The answer in the words of the model, as far as they hold; the answer itself where they do not."""
        helper = self._helper
        if helper.words is None:
            return answer
        messages, schema = wording_request(answer, made, citations, helper.prompts)
        if not messages:
            return answer
        self._send(WORDING, lambda: (messages, schema), TOKENS_OF_WORDING, helper.tokens - self._tokens)
        reply = self._reply(WORDING)
        if reply is None:
            return answer
        told = checked(reply, answer, citations, made, corpus, day, helper.words)
        self._sentences = (told.checked, told.kept)
        return told.answer

    def report(self) -> Assistance | None:
        """What was done; None where the model was not asked."""
        if not self._used:
            return None
        return Assistance(
            model=self._helper.model.name,
            prompts=tuple(self._used.items()),
            facts_proposed=self._proposed.count,
            facts_kept=self._joined.kept,
            facts_open=self._joined.open,
            facts_stand=tuple(d.name for d in self._joined.disagreements if d.stands),
            terms=self._terms.terms,
            sentences=self._sentences[0],
            sentences_kept=self._sentences[1],
            seconds=round(self._spent, 3),
            tokens=self._tokens,
            trouble=tuple(self._trouble),
        )

    # ------------------------------------------------------------------ asking and waiting

    def _hidden(self) -> str:
        """The story as it is sent; called in the threads of the requests."""
        with self._guard:
            if self._veil is None:
                self._veil = Veil(self._helper.known_names)
            return self._veil.hide(self._story)

    def _send(
        self,
        prompt: str,
        request: Callable[[], Request],
        most_tokens: int,
        tokens: int,
    ) -> None:
        self._used[prompt] = self._helper.prompts.version(prompt)
        self._asked[prompt] = _Call(self._helper, request, most_tokens, tokens, self._left)

    def _reply(self, prompt: str) -> str | None:
        """What the model wrote, waited for as long as there is time; None where there is nothing."""
        call = self._asked.pop(prompt, None)
        if call is None:
            return None
        started = time.perf_counter()
        try:
            return call.result(max(self._left, 0.0) + GRACE)
        except ModelError as error:
            self._trouble[str(error)] = None
            return None
        finally:
            waited = time.perf_counter() - started
            self._left -= waited
            self._spent += waited
            self._tokens += call.tokens


class _Call:
    """One request, in a thread of its own: an answer that cannot wait leaves it behind."""

    def __init__(
        self,
        helper: Helper,
        request: Callable[[], Request],
        most_tokens: int,
        tokens: int,
        seconds: float,
    ) -> None:
        self._future: Future[str] = Future()
        self._allowance = Allowance(helper.model, tokens, seconds)

        def ask() -> None:
            try:
                messages, schema = request()
                asked = "\0".join((helper.model.name, *(message.text for message in messages)))
                key = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).digest()
                text = helper.replies.get(key)
                if text is None:
                    text = self._allowance.complete(messages, schema, most_tokens).text
                    helper.replies.put(key, text)
                self._future.set_result(text)
            except BaseException as error:
                self._future.set_exception(error)

        threading.Thread(target=ask, name="model", daemon=True).start()

    @property
    def tokens(self) -> int:
        return self._allowance.tokens_spent

    def result(self, seconds: float) -> str:
        """Raises ``ModelError``, whatever went wrong: an adapter's fault must not cost an answer."""
        try:
            return self._future.result(seconds)
        except TooLate as error:
            raise ModelError("大模型没有在规定的时间里答复。", "late") from error
        except ModelError:
            raise
        except Exception as error:
            raise ModelError("大模型的答复用不了。", "unusable") from error
