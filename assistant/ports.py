"""What the steps need from outside, as protocols. Adapters implement them, wiring joins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

GROUPS: Mapping[str, str] = {
    "provision": "rules",  # what a provision says
    "asked": "rules",  # one way in which people ask for it
    "commentary": "commentary",  # a passage of an article or interpretation
    "case": "cases",  # a situation with its outcome
}
"""What an entry is (its role) -> with which others it is ranked. Groups do not push each other out."""


@dataclass(frozen=True)
class Entry:
    """One text of the index. Several entries may point to one provision (its digest, the ways people ask for it).

    ``key`` is unique and stable (``wenze-2019#20`` or ``wenze-2019#20?3``); ``role`` is one of :data:`GROUPS`.
    ``provision_id`` of commentary and cases is the id of the passage or case.
    """

    key: str
    provision_id: str
    role: str
    text: str


@dataclass(frozen=True)
class Hit:
    entry_key: str
    provision_id: str
    role: str
    score: float  # cosine similarity


class VectorIndex(Protocol):
    """Dense search over the published index. The index gives ids; the corpus gives the words.

    ``group`` is one of the values of :data:`GROUPS`; ``keys`` are the only entries to look at.
    """

    def search(
        self, text: str, k: int, group: str = "rules", keys: Sequence[str] | None = None
    ) -> Sequence[Hit]: ...


@dataclass(frozen=True)
class Page:
    """An answer of an official site. ``from_cache``: the site said that it is the same as last time."""

    url: str
    final_url: str  # after redirects
    status: int
    content: bytes
    charset: str | None  # what the site says of it; pages often say otherwise themselves
    fetched_at: datetime
    from_cache: bool = False


@dataclass(frozen=True)
class Found:
    """What the search of an official site found. Words are plain text."""

    title: str
    url: str
    published: date | None
    brief: str


class OfficialTexts(Protocol):
    """The official sites. Both methods raise ``SyncError``; ``fetch`` raises ``PageGone`` where nothing is left at the
    address."""

    def fetch(self, url: str) -> Page: ...

    def search(self, title: str) -> Sequence[Found]: ...


@dataclass(frozen=True)
class Message:
    """One part of what a language model is told."""

    role: Literal["system", "user"]
    text: str


@dataclass(frozen=True)
class Reply:
    """What a language model wrote. Nothing of it is checked yet."""

    text: str
    tokens: int  # of prompt and reply together; 0 where the server does not say
    seconds: float


class ChatModel(Protocol):
    """A language model that the office runs. ``name`` is what the settings call it."""

    @property
    def name(self) -> str: ...

    def connect(self) -> float:
        """See whether somebody is there, within a second; the seconds that took.

        Raises:
            ModelError: nobody is.
        """
        ...

    def complete(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        most_tokens: int = 800,
        seconds: float | None = None,
    ) -> Reply:
        """Ask once; may be called from several threads.

        Args:
            schema: a JSON schema; the text of the reply is then meant to be one JSON object, still unchecked. It may
                lack its end where the reply was as long as it may be.
            most_tokens: how long the reply may be.
            seconds: how long it may take with everything; the setting where it is None or longer than that.

        Raises:
            ModelError: not reachable, too late, refused, over budget, cut off, or no reply at all.
        """
        ...
