"""How an endpoint wants to be asked. They all say "OpenAI-compatible" and differ in what they know.

:class:`Manner` begins with the most helpful way; what the server refuses is left out, and what it accepted in the end
is kept for the next call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

WAYS = ("json_schema", "json_object", "tools", "words")
"""Of asking for one JSON object, best first. In ``words`` the schema only stands in the prompt."""

_LIMITS = ("max_tokens", "max_completion_tokens")
_TOOL = "reply"

_TOO_LONG = re.compile(
    r"context.{0,12}(length|size|window)|too long|too many tokens|上下文|长度超|超出.{0,8}长度", re.IGNORECASE
)
_HINTS = {  # what the sentence of a refusal is about; the first that fits
    "usage": re.compile(r"stream_options|include_usage", re.IGNORECASE),
    "limit": re.compile(r"max_(completion_)?tokens", re.IGNORECASE),
    "temperature": re.compile(r"temperature", re.IGNORECASE),
    "way": re.compile(r"response_format|json|schema|tool|function|grammar|guided|structured", re.IGNORECASE),
    "system": re.compile(r"system.{0,12}role|role.{0,12}system|system.{0,4}message", re.IGNORECASE),
    "stream": re.compile(r"stream", re.IGNORECASE),
}
_UNSAID = ("way", "usage", "system", "temperature", "limit", "stream")  # what is tried where it does not say


@dataclass(frozen=True)
class Manner:
    way: str = WAYS[0]
    stream: bool = True
    usage: bool = True  # the number of tokens is asked for when streaming
    limit: str = _LIMITS[0]
    temperature: bool = True
    system: bool = True  # it knows messages of the system

    def without(self, refused: tuple[str, ...], structured: bool) -> Manner | None:
        """The next way to ask after a refusal; None where nothing is left to change."""
        for name in refused:
            if name == "way" and structured and self.way != WAYS[-1]:
                return replace(self, way=WAYS[WAYS.index(self.way) + 1])
            if name == "limit" and self.limit == _LIMITS[0]:
                return replace(self, limit=_LIMITS[1])
            if name == "usage" and self.usage and self.stream:
                return replace(self, usage=False)
            if name == "temperature" and self.temperature:
                return replace(self, temperature=False)
            if name == "system" and self.system:
                return replace(self, system=False)
            if name == "stream" and self.stream:
                return replace(self, stream=False)
        return None

    def body(self, schema: Mapping[str, Any] | None, most_tokens: int) -> dict[str, Any]:
        """The parts of the request beside the messages."""
        body: dict[str, Any] = {self.limit: most_tokens}
        if self.temperature:
            body["temperature"] = 0
        if schema is None:
            return body
        if self.way == "json_schema":
            named = {"name": _TOOL, "schema": dict(schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        elif self.way == "json_object":
            body["response_format"] = {"type": "json_object"}
        elif self.way == "tools":
            function = {"name": _TOOL, "description": "JSON", "parameters": dict(schema)}
            body["tools"] = [{"type": "function", "function": function}]
            body["tool_choice"] = {"type": "function", "function": {"name": _TOOL}}
        return body


def honoured(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether a reply is one JSON object with what the schema requires: some servers take the parameter and ignore it.

    >>> honoured('```{"a": 1}```', {"required": ["a"]}), honoured("{}", {"required": ["a"]}), honoured("好", {})
    (True, False, False)
    """
    try:
        value = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and set(schema.get("required", ())) <= value.keys()


def too_long(said: str) -> bool:
    """Whether a refusal says that the request is too long.

    >>> too_long("This model's maximum context length is 4096 tokens"), too_long("unknown field: max_tokens")
    (True, False)
    """
    return bool(_TOO_LONG.search(said))


def refused(said: str) -> tuple[str, ...]:
    """What of the request a refusal may be about, likeliest first.

    >>> refused("This response_format type is unavailable now")
    ('way',)
    >>> refused("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    ('limit',)
    """
    hinted = tuple(name for name, hint in _HINTS.items() if hint.search(said))
    return hinted[:1] or _UNSAID
