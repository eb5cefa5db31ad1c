"""Whether the language model of the settings works, step by step, for the person who sets it up.

Comes in: settings. Goes out: a :class:`Report`, which says what the model does wrong. Raises ``SettingsError``.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from assistant.adapters.chat_manner import WAYS, honoured
from assistant.adapters.chat_model import OpenAIChat, make_chat_model
from assistant.allowance import estimate
from assistant.errors import ModelError
from assistant.ports import Message
from assistant.prompts import Prompts
from assistant.settings import Settings

_STORY = "昨天下午三点，十二个人在二楼会议室开了会，主要商量食堂的事。"
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"地点": {"type": "string"}, "人数": {"type": "integer"}},
    "required": ["地点", "人数"],
    "additionalProperties": False,
}
_WAY_NAMES = {
    "json_schema": "response_format 的 json_schema",
    "json_object": "response_format 的 json_object",
    "tools": "工具调用",
    "words": "只在提示词里说明格式",
}
_NAMES_SHOWN = 8


@dataclass(frozen=True)
class Step:
    """One thing that was looked at."""

    state: Literal["good", "doubtful", "bad"]
    what: str
    advice: str = ""


@dataclass
class Report:
    configured: bool = False
    model: str = ""
    url: str = ""
    key: Literal["setting", "file", "none"] = "none"
    connect_seconds: float | None = None
    short_seconds: float | None = None
    long_seconds: float | None = None
    tokens_per_second: float | None = None
    ways: dict[str, str] = field(default_factory=dict)
    """How it can be asked for JSON -> "good", "wrong" (not the JSON that was asked for) or a kind of ``ModelError``."""
    way: str | None = None  # that is used
    chinese: bool | None = None
    reachable: bool = False
    usable: bool = False
    steps: list[Step] = field(default_factory=list)

    def say(self, state: Literal["good", "doubtful", "bad"], what: str, advice: str = "") -> None:
        self.steps.append(Step(state, what, advice))


def examine(settings: Settings) -> Report:
    """Try everything that answers will need.

    Raises:
        SettingsError: the key cannot be read or used.
    """
    model = make_chat_model(settings)
    if model is None:
        return Report()
    key: Literal["setting", "file", "none"] = (
        "file" if settings.model_key_file else "setting" if settings.model_key.get_secret_value() else "none"
    )
    report = Report(configured=True, model=settings.model, url=settings.model_url, key=key)
    prompts = Prompts(settings.prompts)
    try:
        report.connect_seconds = round(model.connect(), 3)
    except ModelError as error:
        report.say("bad", str(error), "没有大模型时答复照常，只是不用它。")
        return report
    report.reachable = True
    report.say("good", f"连得上（{report.connect_seconds:.2f} 秒）。")
    if not _guarded(settings.model_url):
        report.say(
            "doubtful",
            "地址不是 https，又不在本机或内网，案情会不加密地传出去。",
            "请换成 https:// 开头的地址，或者把大模型装在单位内网。",
        )
    names = model.models()
    short = _short(model, prompts, report, names)
    if short == "failed":
        return report
    if short == "answered":
        _long(model, prompts, report, settings.model_timeout)
    _structured(model, settings, prompts, report)
    report.usable = short == "answered" or report.way is not None
    return report


def _short(
    model: OpenAIChat, prompts: Prompts, report: Report, names: list[str]
) -> Literal["answered", "endless", "failed"]:
    """Endless: it writes and finds no end, as models do that were not made to talk; a format may still hold it."""
    try:
        reply = model.complete([Message("user", prompts.render("model/check-short.md.j2"))], most_tokens=200)
    except ModelError as error:
        endless = error.kind == "cut"
        report.say("doubtful" if endless else "bad", str(error), _advice(error, names, model.name))
        return "endless" if endless else "failed"
    report.short_seconds = round(reply.seconds, 2)
    report.say("good", f"答一句短的用 {reply.seconds:.1f} 秒。")
    return "answered"


def _long(model: OpenAIChat, prompts: Prompts, report: Report, most_seconds: float) -> None:
    try:
        reply = model.complete([Message("user", prompts.render("model/check-long.md.j2"))], most_tokens=400)
    except ModelError as error:
        report.say("doubtful", f"写一段话没有成：{error}", _advice(error, [], model.name))
        return
    report.long_seconds = round(reply.seconds, 2)
    report.tokens_per_second = round(estimate(reply.text) / max(reply.seconds, 0.001), 1)
    report.chinese = _chinese(reply.text)
    told = f"写一段话用 {reply.seconds:.1f} 秒，每秒约 {report.tokens_per_second:.0f} 个 token"
    if reply.seconds > most_seconds / 3:
        report.say(
            "doubtful",
            f"{told}，偏慢：一次答复最多等 {most_seconds:g} 秒。",
            "请换小一些或者快一些的模型，或者调大 ZEMING_MODEL_TIMEOUT。",
        )
    else:
        report.say("good", f"{told}。")
    if report.chinese:
        report.say("good", "要它写中文，写的是中文。")
    else:
        report.say("doubtful", "要它写中文，写的不是中文。", "请换一个中文好的模型，如 Qwen、DeepSeek、GLM。")


def _structured(model: OpenAIChat, settings: Settings, prompts: Prompts, report: Report) -> None:
    """Each way of asking for JSON by itself; answers use the first that works."""
    asked = [Message("user", prompts.render("model/check-json.md.j2", story=_STORY))]
    model.keeps_way = True
    for way in WAYS:
        model.manner = replace(model.manner, way=way)
        try:
            reply = model.complete(asked, _SCHEMA, most_tokens=200)
        except ModelError as error:
            report.ways[way] = error.kind
            if error.kind in ("late", "unreachable"):
                break
            continue
        report.ways[way] = "good" if honoured(reply.text, _SCHEMA) else "wrong"
        report.way = report.way or (way if report.ways[way] == "good" else None)
    if report.way:
        others = [
            _WAY_NAMES[way] for way, state in report.ways.items() if state == "good" and way != report.way
        ]
        more = f"（{'、'.join(others)}也能用）" if others else ""
        report.say("good", f"结构化输出能用：{_WAY_NAMES[report.way]}{more}；JSON 合乎要求。")
    else:
        report.say(
            "doubtful",
            "结构化输出不能用：哪一种办法都没有得到合乎要求的 JSON。",
            "读情况用不上它；请换大一些的模型，或者设 ZEMING_MODEL_USES=wording，只用它写答复。",
        )


def _chinese(text: str) -> bool:
    letters = re.findall(r"[A-Za-z一-鿿]", text)
    signs = [c for c in letters if not c.isascii()]
    return len(signs) >= 10 and len(signs) > len(letters) * 0.7


def _advice(error: ModelError, names: list[str], name: str) -> str:
    if error.kind == "refused" and names and name not in names:
        shown = "、".join(_plain(n) for n in names[:_NAMES_SHOWN])
        return f"服务上没有叫“{name}”的模型，有：{shown}。"
    return {
        "late": "请调大 ZEMING_MODEL_TIMEOUT，或者换小一些、快一些的模型。",
        "busy": "请过一会儿再试；常常这样，请调小 ZEMING_MODEL_CONCURRENCY。",
        "failed": "请看大模型服务自己的日志。",
        "cut": "模型可能先想很久再答，请换成不带思考的模型，或者在服务上关掉思考；"
        "也可能不是对话模型（名称里一般有 chat、instruct 或者 it），请换成对话模型。",
    }.get(error.kind, "")


def _plain(name: str) -> str:
    """A name as the server says it, fit for a terminal."""
    return "".join(c for c in name if c.isprintable())[:60]


def _guarded(url: str) -> bool:
    """Whether what is sent cannot be read on its way: https, or a machine of one's own."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    found: set[str] = set()
    with suppress(OSError, UnicodeError):
        found = {str(a[4][0]).split("%")[0] for a in socket.getaddrinfo(parts.hostname, None)}
    return bool(found) and all(_own(address) for address in found)


def _own(address: str) -> bool:
    with suppress(ValueError):
        ip = ip_address(address)
        return ip.is_loopback or ip.is_private or ip.is_link_local
    return False
