"""One request to a chat-completions endpoint through LangChain's chat model.

Imported when a model is asked for the first time: LangChain's client takes seconds to load. Nothing that is sent or
received reaches a log, a tracing service or an error; no proxy, redirect or address of the environment is followed.
Raises :class:`assistant.adapters.chat_call.Fault`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import certifi
import httpx
import openai
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langsmith import tracing_context
from pydantic import SecretStr

from assistant.adapters.chat_call import Call, Fault
from assistant.adapters.chat_manner import Manner, refused, too_long
from assistant.ports import Message

MOST_CHARS = 20_000
"""A reply longer than this is no answer to anything that is asked here."""
CONNECT_SECONDS = 0.5
_MOST_BYTES = 16_000_000  # what a reply of that length takes when every sign comes in an event of its own
_TALKATIVE = (
    "openai",
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "langchain_openai",
    "langchain_core",
    "langsmith",
)
_OF_THE_MACHINE = (
    "x-stainless-",
    "openai-",
)  # headers that tell about this machine, or come from its environment
_AGAIN = (429, 500, 502, 503, 504)

for _name in _TALKATIVE:
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

# their warnings quote what was received
warnings.filterwarnings("ignore", module=r"langchain_openai\.")
warnings.filterwarnings("ignore", message="Pydantic serializer warnings")

_calling: ContextVar[Call] = ContextVar("calling")


@dataclass(frozen=True)
class Written:
    """What came back."""

    text: str
    tokens: int
    finish: str | None


class Wire:
    """Holds the client. May be used by several threads."""

    def __init__(self, name: str, url: str, key: str) -> None:
        self._client = httpx.Client(
            transport=_Transport(keyless=not key), trust_env=False, follow_redirects=False
        )
        self._model = ChatOpenAI(
            model=name,
            base_url=url,
            api_key=SecretStr(key or "none"),
            http_client=self._client,
            max_retries=0,
            cache=False,
            openai_proxy=None,  # the environment may name one
            use_responses_api=False,
            output_version="v0",
        )

    def ask(
        self,
        call: Call,
        messages: Sequence[Message],
        manner: Manner,
        schema: Mapping[str, Any] | None,
        most_tokens: int,
    ) -> Written:
        """Ask once.

        Raises:
            Fault: whatever else comes than a reply.
        """
        body = manner.body(schema, most_tokens)
        tools: dict[str, Any] = {name: body.pop(name) for name in ("tools", "tool_choice") if name in body}
        timeout = httpx.Timeout(call.left(), connect=CONNECT_SECONDS)
        given: dict[str, Any] = {**tools, "extra_body": body, "timeout": timeout}
        told = _told(messages, manner)
        _calling.set(call)
        call.streams = manner.stream
        try:
            with tracing_context(enabled=False):
                if manner.stream:
                    with closing(self._model.stream(told, stream_usage=manner.usage, **given)) as chunks:  # type: ignore[type-var]
                        return _gathered(chunks, schema is not None)
                return _whole(self._model.invoke(told, **given), schema is not None)
        except Exception as error:
            raise _fault(error) from None

    def models(self, call: Call) -> list[str]:
        """The names of the models that the server has; none where it does not say."""
        _calling.set(call)
        try:
            listed = self._model.root_client.models.list(
                timeout=httpx.Timeout(call.left(), connect=CONNECT_SECONDS)
            )
            return [str(model.id)[:80] for model in listed.data[:50]]
        except Exception:
            return []


class _Transport(httpx.BaseTransport):
    """A connection of its own for each request, so that the call that it belongs to can end it at any moment."""

    def __init__(self, keyless: bool) -> None:
        self._keyless = keyless

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """Those of the machine, where an office may have added an authority of its own, and the usual ones."""
        context = ssl.create_default_context()
        if not os.environ.get("SSL_CERT_FILE") and not os.environ.get("SSL_CERT_DIR"):
            context.load_verify_locations(certifi.where())
        return context

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = _calling.get()

        def noticed(event: str, info: Mapping[str, Any]) -> None:
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                call.holds(info["return_value"].get_extra_info("socket"))

        extensions = {**request.extensions, "trace": noticed}
        told = httpx.Request(
            request.method,
            request.url,
            headers=self._headers(request),
            stream=request.stream,
            extensions=extensions,
        )
        # without https none are needed; an empty set trusts nobody
        secure = request.url.scheme == "https"
        verify = self._certificates if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        inner = httpx.HTTPTransport(verify=verify, trust_env=False)
        try:
            response = inner.handle_request(told)
        except BaseException:
            inner.close()
            raise
        bounded = response.stream = _Bounded(response.stream, inner, call)
        if response.is_success and (other := _other_kind(response, call)):
            bounded.close()
            raise other
        return response

    def _headers(self, request: httpx.Request) -> list[tuple[str, str]]:
        """Only what the endpoint needs to know."""
        kept = [
            (name, value)
            for name, value in request.headers.items()
            if not name.startswith(_OF_THE_MACHINE)
            and name not in ("user-agent", "accept-encoding")
            and not (self._keyless and name == "authorization")
        ]
        return [*kept, ("user-agent", "zeming"), ("accept-encoding", "identity")]


class _Bounded(httpx.SyncByteStream):
    """The bytes of an answer, as long as there is time, and not more than are good for anything."""

    def __init__(self, stream: Any, inner: httpx.HTTPTransport, call: Call) -> None:
        self._stream, self._inner, self._call = stream, inner, call

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for part in self._stream:
            self._call.left()
            seen += len(part)
            if seen > _MOST_BYTES:
                raise Fault("cut")
            yield part

    def close(self) -> None:
        with suppress(Exception):
            self._stream.close()
        self._inner.close()


def _other_kind(response: httpx.Response, call: Call) -> Fault | None:
    """What is wrong with the kind of an answer: a web page, or a whole reply where a stream was asked for."""
    kind = response.headers.get("content-type", "").lower()
    if "html" in kind:
        return Fault("unusable", about="page")
    if "json" in kind and call.streams:
        return Fault("unusable", refused=("stream",))
    return None


def _told(messages: Sequence[Message], manner: Manner) -> list[BaseMessage]:
    if manner.system:
        return [(SystemMessage if m.role == "system" else HumanMessage)(m.text) for m in messages]
    return [HumanMessage("\n\n".join(m.text for m in messages))]


def _gathered(chunks: Iterator[Any], structured: bool) -> Written:
    """The pieces of a streamed reply, put together."""
    text, arguments, tokens, finish = [], [], 0, None
    length = 0
    for chunk in chunks:
        piece = chunk.content if isinstance(chunk.content, str) else ""
        called = [c.get("args") or "" for c in chunk.tool_call_chunks if not c.get("index")]
        text.append(piece)
        arguments.extend(called)
        length += len(piece) + sum(map(len, called))
        if length > MOST_CHARS:
            raise Fault("cut")
        tokens = max(tokens, _tokens(chunk))
        finish = chunk.response_metadata.get("finish_reason") or finish
    if finish is None:
        raise Fault("cut", refused=("stream",) if not length else ())
    return _written("".join(arguments) or "".join(text), tokens, finish, structured)


def _whole(message: AIMessage, structured: bool) -> Written:
    text: Any = message.content
    if message.invalid_tool_calls:  # arguments that are not JSON
        text = message.invalid_tool_calls[0]["args"]
    if message.tool_calls:
        text = json.dumps(message.tool_calls[0]["args"], ensure_ascii=False)
    if not isinstance(text, str):
        raise Fault("unusable")
    return _written(text, _tokens(message), message.response_metadata.get("finish_reason"), structured)


def _written(text: str, tokens: int, finish: str | None, structured: bool) -> Written:
    # what a model thinks aloud before its reply is no part of it
    text = re.sub(r"\A\s*<think>.*?</think>\s*", "", text, flags=re.DOTALL).strip()
    # of JSON that was cut off the whole items are good; whoever wanted it ends it after them
    if (finish == "length" and not (structured and text.startswith("{"))) or len(text) > MOST_CHARS:
        raise Fault("cut")
    if finish == "content_filter":
        raise Fault("refused", about="filter")
    if not text:
        raise Fault("unusable")
    return Written(text, tokens, finish)


def _tokens(message: Any) -> int:
    total = (message.usage_metadata or {}).get("total_tokens")
    return total if isinstance(total, int) and 0 <= total < 10_000_000 else 0


def _fault(error: BaseException) -> Fault:
    """What went wrong, without any word of what was sent or received."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, Fault):
            return cause
        if isinstance(cause, openai.APIStatusError):
            return _answered(cause)
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return Fault("unreachable", about="certificate")
    if any(isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout)) for cause in chain):
        return Fault("unreachable")
    if any(isinstance(cause, (httpx.TimeoutException, openai.APITimeoutError)) for cause in chain):
        return Fault("late")
    if any(isinstance(cause, (httpx.TransportError, openai.APIConnectionError)) for cause in chain):
        return Fault("failed", again=True)
    if any(isinstance(cause, openai.APIError) for cause in chain):  # an error among the pieces of a stream
        return Fault("failed")
    return Fault("unusable")


def _answered(error: openai.APIStatusError) -> Fault:
    status = error.status_code
    said = f"{error.message} {error.body}"[:4000]
    if status in _AGAIN:
        kind = "busy" if status in (429, 503) else "failed"
        return Fault(kind, status, wait=_wait(error.response.headers), again=True)
    if status in (400, 404, 413, 415, 422, 501) and too_long(said):
        return Fault("refused", status, about="long")
    if status in (400, 415, 422, 501):
        return Fault("refused", status, refused=refused(said))
    return Fault("failed" if status >= 500 else "refused", status)


def _wait(headers: Mapping[str, str]) -> float | None:
    """What ``Retry-After`` says, in seconds."""
    said = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    with suppress(ValueError, TypeError):
        moment = parsedate_to_datetime(said)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
