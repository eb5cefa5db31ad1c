"""JSON that a language model writes: the shape that is asked for, and reading what came, mended where it was cut off.

Comes in: the text of a reply. Goes out: a list, of whatever values. Raises nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

LONGEST_REPLY = 20_000  # characters that are looked at

_FENCE = re.compile(r"```[a-zA-Z]*")
_TRAILING = re.compile(r",(?=\s*[\]}])")
_THOUGHT = re.compile(r".*</think>", re.DOTALL)


def one_list(name: str, items: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    """The JSON schema of an object with one list, which :func:`listed` reads."""
    return {
        "type": "object",
        "properties": {name: {"type": "array", "items": items, "maxItems": most}},
        "required": [name],
        "additionalProperties": False,
    }


def spoken(reply: str) -> str:
    """A reply without what the model thought aloud before.

    >>> spoken("<think>先想想</think>好")
    '好'
    """
    return _THOUGHT.sub("", reply)


def listed(reply: str, key: str) -> list[Any]:
    """The list under ``key`` of the first JSON object in a reply; empty where there is none, mended or not.

    >>> listed('<think>{}</think>```json {"terms": ["诫勉",]}```', "terms")
    ['诫勉']
    """
    text = _FENCE.sub("", spoken(reply[:LONGEST_REPLY]))
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        return []
    read = _read(text[start:])
    if read is None:
        read = _read(mended(text[start:]))
    if isinstance(read, Mapping):
        read = read.get(key)
    return list(read) if isinstance(read, list) else []


def _read(text: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(_TRAILING.sub("", text))[0]
    except (ValueError, RecursionError):
        return None


def mended(text: str) -> str:
    """JSON that was cut off, ended after its last whole item.

    >>> mended('{"facts": [{"name": "a", "value": "b"}, {"name": "c", "va')
    '{"facts": [{"name": "a", "value": "b"}]}'
    >>> mended('{"terms": ["诫勉", "申')
    '{"terms": ["诫勉"]}'
    """
    closing: list[str] = []
    whole, left = 0, ""  # up to where the text can be kept, and what then closes it
    inside = escaped = False
    for at, char in enumerate(text):
        if inside:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                inside = False
                if closing and closing[-1] == "]":
                    whole, left = at + 1, "".join(reversed(closing))
        elif char == '"':
            inside = True
        elif char in "{[":
            closing.append("}" if char == "{" else "]")
            if char == "[":
                whole, left = at + 1, "".join(reversed(closing))
        elif char in "}]":
            if not closing or closing.pop() != char:
                break
            whole, left = at + 1, "".join(reversed(closing))
            if not closing:
                break
    return text[:whole] + left
