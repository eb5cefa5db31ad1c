"""A real HTTP server on this machine that speaks the chat-completions protocol, streaming and not, for tests.

    with model_server("您好") as server:                  # says the same again and again
        load_settings(model="m", model_url=server.url)
        ...
        server.asked[0].messages                          # what it was asked
    with model_server(busy(retry_after=1), '{"a": 1}') as server: ...   # one after the other, the last one stays
    with model_server(lambda asked: "…" if asked.schema else slow("…", 2)) as server: ...   # from the request
    with model_server("…", lacks=["json_schema", "tools"]) as server: ...   # answers 400 to what it does not know

An answer is words (a good reply) or :class:`Does`; the functions below make the usual ones: :func:`slow`,
:func:`hangs`, :func:`dribbles`, :func:`busy`, :func:`fails`, :func:`resets`, :func:`breaks_off`, :func:`no_choices`,
:func:`huge`, :func:`page`. Where the request wants a tool call, the words of a good reply are its arguments.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal


@dataclass(frozen=True)
class Does:
    """What the server does with one request."""

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None  # sent as it is, instead of a reply
    content_type: str | None = None
    after: float = 0.0  # seconds of silence before the first byte
    pause: float = 0.0  # seconds before each further piece
    pieces: int = 4  # into how many pieces the words are cut when streaming
    end: Literal["whole", "silence", "closed", "reset", "bytes"] = "whole"
    """How it ends: as it should; half of it and then silence; half of it and the connection closed; the connection
    reset without a byte; byte by byte with ``pause`` between, headers too."""
    finish: str | None = "stop"
    counts: bool = True  # it says how many tokens were used
    choices: bool = True


def slow(text: str, seconds: float) -> Does:
    """A good reply after some silence."""
    return Does(text, after=seconds)


def hangs(text: str = "说到一半就没有了下文") -> Does:
    """Half of a reply, then silence."""
    return Does(text, end="silence")


def dribbles(text: str = "一个字节一个字节地来", pause: float = 0.05) -> Does:
    """Never silent for long, and never done."""
    return Does(text, end="bytes", pause=pause)


def busy(retry_after: float | None = None) -> Does:
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return _error(429, "rate limit reached", headers)


def fails(status: int = 500, message: str = "internal error") -> Does:
    return _error(status, message)


def resets() -> Does:
    """The connection is reset."""
    return Does(end="reset")


def breaks_off(text: str = "说到一半断了线") -> Does:
    """Half of a reply, then the connection is closed."""
    return Does(text, end="closed")


def cut(text: str) -> Does:
    """A reply that was stopped by the limit of its length."""
    return Does(text, finish="length")


def no_choices() -> Does:
    return Does(choices=False)


def huge(chars: int = 2_000_000) -> Does:
    return Does("长" * chars, pieces=200)


def page(html: str = "<html><body>请先登录</body></html>") -> Does:
    """A web page instead of a reply, as a gateway sends it."""
    return Does(body=html.encode(), content_type="text/html")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Does:
    body = json.dumps({"error": {"message": message, "type": "error", "code": status}}).encode()
    return Does(status=status, headers=headers or {}, body=body, content_type="application/json")


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    path: str
    headers: Mapping[str, str]  # names in lower case
    body: Mapping[str, Any]
    at: float  # on the monotonic clock

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Role and words of each message."""
        return [(m["role"], m["content"]) for m in self.body["messages"]]

    @property
    def prompt(self) -> str:
        return "\n".join(text for _, text in self.messages)

    @property
    def streamed(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def way(self) -> str:
        """How structured output is asked for: ``json_schema``, ``json_object``, ``tools``, or ``""``."""
        shape = self.body.get("response_format") or {}
        return str(shape.get("type", "tools" if self.body.get("tools") else ""))

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The schema, where the request carries one outside the words."""
        if self.way == "json_schema":
            return dict(self.body["response_format"]["json_schema"]["schema"])
        return dict(self.body["tools"][0]["function"]["parameters"]) if self.way == "tools" else None


Answer = str | Does | Callable[[Asked], str | Does]


class ModelServer:
    """See the head of this module. ``url`` goes into the settings; ``asked`` are the requests so far."""

    def __init__(
        self,
        answers: Sequence[Answer],
        lacks: Sequence[str] = (),
        models: Sequence[str] = (),
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.answers = list(answers)
        self.lacks = frozenset(lacks)
        self.models = list(models)
        self.asked: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self.stopping = threading.Event()
        self._guard = threading.Lock()
        server = self

        class Handler(_Handler):
            site = server

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: object) -> None:
                pass  # the other side hung up, as it may

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}/v1"

    def take(self, asked: Asked) -> Does:
        """What is done with this request."""
        with self._guard:
            self.asked.append(asked)
            answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        missing = [name for name in sorted(self.lacks) if _wants(asked, name)]
        if missing:
            with self._guard:  # a request that is refused uses no answer up
                self.answers.insert(0, answer)
            return _error(400, f"unsupported parameter: {missing[0]}")
        if callable(answer):
            answer = answer(asked)
        return Does(answer) if isinstance(answer, str) else answer

    def count(self, by: int) -> None:
        with self._guard:
            self.at_once += by
            self.most_at_once = max(self.most_at_once, self.at_once)

    def __enter__(self) -> ModelServer:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def model_server(
    *answers: Answer,
    lacks: Sequence[str] = (),
    models: Sequence[str] = ("试验模型",),
    context: ssl.SSLContext | None = None,
) -> Iterator[ModelServer]:
    """
    Args:
        answers: given one after the other; the last one again and again.
        lacks: what it answers 400 to: ``json_schema``, ``json_object``, ``tools``, or the name of a parameter
            (``stream``, ``stream_options``, ``max_tokens``, ``temperature``).
        models: what it says it has.
        context: for https.
    """
    with ModelServer(answers or ("好的。",), lacks, models, context) as server:
        yield server


def nobody() -> str:
    """The address of a server that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def _wants(asked: Asked, name: str) -> bool:
    return name == asked.way or bool(asked.body.get(name) is not None and asked.body.get(name) is not False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: ModelServer

    def do_GET(self) -> None:
        models = [{"id": name, "object": "model"} for name in self.site.models]
        self._whole(Does(), json.dumps({"object": "list", "data": models}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, body, time.monotonic())
        does = self.site.take(asked)
        self.site.count(1)
        try:
            self._do(asked, does)
        finally:
            self.site.count(-1)

    def _do(self, asked: Asked, does: Does) -> None:
        self._wait(does.after)
        if does.end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()
            self.close_connection = True
        elif does.body is not None:
            self._whole(does, does.body)
        elif asked.streamed:
            self._streamed(asked, does)
        else:
            self._whole(does, json.dumps(_completion(asked, does), ensure_ascii=False).encode())

    def _whole(self, does: Does, body: bytes) -> None:
        head = self._head(does, "application/json", {"Content-Length": str(len(body))})
        self._send(does, [head, body])

    def _streamed(self, asked: Asked, does: Does) -> None:
        head = self._head(does, "text/event-stream", {"Transfer-Encoding": "chunked"})
        events = [f"data: {json.dumps(e, ensure_ascii=False)}\n\n".encode() for e in _events(asked, does)]
        events.append(b"data: [DONE]\n\n")
        chunks = [b"%x\r\n%s\r\n" % (len(e), e) for e in events]
        self._send(does, [head, *chunks, b"0\r\n\r\n"])

    def _head(self, does: Does, content_type: str, more: Mapping[str, str]) -> bytes:
        headers = {"Content-Type": does.content_type or content_type, **more, **does.headers}
        lines = [f"HTTP/1.1 {does.status} As-Told", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _send(self, does: Does, parts: Sequence[bytes]) -> None:
        if does.end == "bytes":
            parts = [bytes([byte]) for byte in b"".join(parts)]
        elif does.end in ("silence", "closed"):
            whole = b"".join(parts)
            parts = [whole[: len(parts[0]) + (len(whole) - len(parts[0])) // 2]]
        for n, part in enumerate(parts):
            if n:
                self._wait(does.pause)
            self.wfile.write(part)
            self.wfile.flush()
        if does.end == "silence":
            self._wait(60)
        self.close_connection = does.end != "whole"

    def _wait(self, seconds: float) -> None:
        if seconds and self.site.stopping.wait(seconds):
            raise ConnectionError  # the test is over

    def log_message(self, *_: object) -> None:
        pass


def _usage(asked: Asked, does: Does) -> dict[str, int]:
    prompt, written = len(asked.prompt), len(does.text)
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def _completion(asked: Asked, does: Does) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": does.text}
    if asked.way == "tools":
        message = {"role": "assistant", "content": None, "tool_calls": [_tool_call(asked, does.text)]}
    choice = {"index": 0, "message": message, "finish_reason": does.finish}
    completion = {**_frame(asked, "chat.completion"), "choices": [choice] if does.choices else []}
    return completion | ({"usage": _usage(asked, does)} if does.counts else {})


def _events(asked: Asked, does: Does) -> Iterator[dict[str, Any]]:
    frame = _frame(asked, "chat.completion.chunk")
    if does.choices:
        yield frame | {"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}
        size = max(1, -(-len(does.text) // does.pieces))
        for start in range(0, len(does.text), size):
            piece = does.text[start : start + size]
            delta: dict[str, Any] = {"content": piece}
            if asked.way == "tools":
                call = (
                    _tool_call(asked, piece) if start == 0 else {"index": 0, "function": {"arguments": piece}}
                )
                delta = {"tool_calls": [{"index": 0, **call}]}
            yield frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield frame | {"choices": [{"index": 0, "delta": {}, "finish_reason": does.finish}]}
    if does.counts and (asked.body.get("stream_options") or {}).get("include_usage"):
        yield frame | {"choices": [], "usage": _usage(asked, does)}


def _tool_call(asked: Asked, arguments: str) -> dict[str, Any]:
    name = asked.body["tools"][0]["function"]["name"]
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def _frame(asked: Asked, kind: str) -> dict[str, Any]:
    return {"id": "试验", "object": kind, "created": 1, "model": asked.body.get("model")}


# ---------------------------------------------------------------- what requests for wording hold, and what they want


def sentences_in(asked: Asked) -> list[str]:
    """The numbered sentences that a request wants to be worded; none in other requests."""
    lines = asked.prompt.partition("<<<要改写的句子")[2].splitlines()
    return [line for line in lines if re.match(r"\d+\. ", line)]


def as_json(lines: Iterable[str]) -> str:
    """Numbered sentences as the JSON that such a request asks for."""
    rows = [{"n": int(n), "text": words} for n, _, words in (line.partition(". ") for line in lines)]
    return json.dumps({"sentences": rows}, ensure_ascii=False)
