"""The language model of an office behind an OpenAI-compatible address.

Comes in: settings. Goes out: an :class:`assistant.ports.ChatModel`, or None where none is set up. Every call ends
within its time, in a ``Reply`` or a ``ModelError``. LangChain is loaded with the first call that finds a server.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from assistant.adapters.chat_call import Call, Fault
from assistant.adapters.chat_manner import Manner, honoured
from assistant.errors import ModelError, SettingsError
from assistant.ports import Message, Reply
from assistant.prompts import Prompts
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.adapters.chat_wire import Wire, Written

CONNECT_SECONDS = 0.5
REACHED_WITHIN = 0.8
"""Seconds for finding the server, with the look-up of its name: so long an answer waits for one that is not there."""
LEFT_ALONE = 30.0
"""Seconds for which a server that could not be connected to is not asked again."""
_BACK_OFF = 0.25  # seconds before the first repetition, then twice as long each time

_SENTENCES = {
    "missing": "没有安装连接大模型的扩展，请运行 pip install 'zeming[openai]'。",
    "unreachable": "连不上大模型，请检查 ZEMING_MODEL_URL、网络和大模型服务是否开着。",
    "late": "大模型没有在规定的时间内答完。",
    "busy": "大模型太忙，没有答。",
    "failed": "大模型服务出错，没有答完。",
    "refused": "大模型服务不接受请求，请检查模型名称和地址。",
    "cut": "大模型的回答太长或者没有说完，不能用。",
    "unusable": "大模型服务答的不是对话接口的内容，请检查 ZEMING_MODEL_URL。",
}
_CLOSER = {
    "certificate": "大模型地址的证书不可信，请换成可信的证书，或用 SSL_CERT_FILE 写明本单位的根证书。",
    "long": "这次的内容超过了大模型一次能读的长度。",
    "filter": "大模型服务拦下了这次的内容。",
    "page": "大模型地址打开的是网页，不是对话接口，请检查 ZEMING_MODEL_URL（一般以 /v1 结尾）。",
}
_STATUS = {
    401: "大模型服务不认密钥，请检查 ZEMING_MODEL_KEY。",
    402: "大模型服务说额度用完了。",
    403: "大模型服务不认密钥，或者密钥没有用这个模型的权限。",
    404: "大模型地址不对，或者没有这个名称的模型，请检查 ZEMING_MODEL_URL 和 ZEMING_MODEL。",
}


def make_chat_model(settings: Settings) -> OpenAIChat | None:
    """The language model that the settings name; None where they name none, which is a normal state.

    Raises:
        SettingsError: the key cannot be read or used.
    """
    return OpenAIChat(settings, key_of(settings)) if settings.model else None


def key_of(settings: Settings) -> str:
    """The key, from the setting or the first line of the file; empty where there is none.

    Raises:
        SettingsError: the file cannot be read, or what it holds is no key.
    """
    key, name = settings.model_key.get_secret_value().strip(), "ZEMING_MODEL_KEY"
    if settings.model_key_file:
        name = "ZEMING_MODEL_KEY_FILE"
        try:
            with settings.model_key_file.open(encoding="utf-8-sig") as file:
                key = file.readline(4096).strip()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"读不了 {name} 写的密钥文件，请检查路径、权限和编码（UTF-8）。") from None
        if not key:
            raise SettingsError(f"{name} 写的密钥文件第一行是空的，请写上密钥。")
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(f"{name} 里的密钥有不能用的字符，请重新复制一次。")
    return key


class OpenAIChat:
    """See :class:`assistant.ports.ChatModel`. May be used by several threads.

    The number of calls at a time is limited for all processes of one data folder together.
    """

    def __init__(self, settings: Settings, key: str) -> None:
        self.name = settings.model
        self.url = settings.model_url
        self.manner = Manner()
        """How the endpoint wants to be asked, as far as it is known."""
        self.keeps_way = False
        """The way of structured output is not to be changed after a refusal: for trying each of them."""
        self._key = key
        self._timeout, self._retries = settings.model_timeout, settings.model_retries
        self._slots = [settings.data / "model-slots" / f"{n}.lock" for n in range(settings.model_concurrency)]
        self._prompts = Prompts(settings.prompts)
        self._guard = threading.Lock()
        self._wire: Wire | None = None
        self._seen: float | None = None  # when it was last connected to
        self._shunned_until = 0.0

    def complete(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None = None,
        most_tokens: int = 800,
        seconds: float | None = None,
    ) -> Reply:
        """See :meth:`assistant.ports.ChatModel.complete`."""
        within = self._timeout if seconds is None else min(seconds, self._timeout)
        call = Call(within)
        if call.started < self._shunned_until:
            raise _sentence(Fault("unreachable"))
        done: Future[Written] = Future()
        work = (call, done, tuple(messages), schema, most_tokens)
        threading.Thread(target=self._work, args=work, name="chat-model", daemon=True).start()
        fault: Fault
        try:
            if not call.reached.wait(min(REACHED_WITHIN, within)):
                raise Fault("unreachable" if within > REACHED_WITHIN else "late")
            written = done.result(max(0.0, within - call.passed()))
            return Reply(written.text, written.tokens, call.passed())
        except Fault as caught:
            fault = caught
        except TimeoutError:
            fault = Fault("late")
        call.give_up()
        if fault.kind == "unreachable":
            self._shunned_until = time.monotonic() + LEFT_ALONE
        raise _sentence(fault)

    def connect(self) -> float:
        """How many seconds it takes to find the server.

        Raises:
            ModelError: it is not there.
        """
        call = Call(REACHED_WITHIN)
        try:
            self._knock(call)
        except Fault as fault:
            raise _sentence(fault) from None
        return call.passed()

    def models(self) -> list[str]:
        """The names of the models that the server has; none where it does not say."""
        with suppress(Fault, ImportError):
            return self._wired().models(Call(min(5.0, self._timeout)))
        return []

    def _work(
        self,
        call: Call,
        done: Future[Written],
        messages: tuple[Message, ...],
        schema: Mapping[str, Any] | None,
        most_tokens: int,
    ) -> None:
        """What a thread of its own does: whatever hangs in it, nobody waits longer than the call may take."""
        try:
            if self._seen is None or call.started - self._seen > LEFT_ALONE:
                self._knock(call)
            call.reached.set()
            with self._slot(call):
                done.set_result(self._asked(call, messages, schema, most_tokens))
        except Fault as fault:
            done.set_exception(fault)
        except ImportError:
            done.set_exception(Fault("missing"))
        except BaseException:  # a fault of a library; its words may hold the story
            done.set_exception(Fault("unusable"))
        finally:
            call.reached.set()

    def _knock(self, call: Call) -> None:
        """See whether somebody is there, before anything else is loaded or sent."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname, port), min(CONNECT_SECONDS, call.left())).close()
        except (OSError, UnicodeError):
            raise Fault("unreachable") from None
        self._seen = time.monotonic()

    def _wired(self) -> Wire:
        with self._guard:
            if self._wire is None:
                from assistant.adapters.chat_wire import Wire

                self._wire = Wire(self.name, self.url, self._key)
            return self._wire

    def _asked(
        self, call: Call, messages: tuple[Message, ...], schema: Mapping[str, Any] | None, most_tokens: int
    ) -> Written:
        """Ask, in another manner after a refusal, and again where that may help, as long as there is time."""
        wire, manner, repeated = self._wired(), self.manner, 0
        while True:
            told = messages
            if schema is not None and manner.way in ("json_object", "words"):
                text = self._prompts.render("model/schema.md.j2", schema=_compact(schema))
                told = _with(messages, text)
            try:
                written = wire.ask(call, told, manner, schema, most_tokens)
                break
            except Fault as fault:
                other = manner.without(fault.refused, schema is not None and not self.keeps_way)
                if other is not None:
                    manner = other
                    continue
                if not fault.again or repeated >= self._retries:
                    raise
                pause = max(fault.wait or 0.0, _BACK_OFF * 2**repeated)
                if pause >= call.left():
                    raise
                call.rest(pause)
                repeated += 1
        whole = written.finish != "length"  # what was cut off says nothing about the way of asking
        if schema is not None and whole and not self.keeps_way and not honoured(written.text, schema):
            manner = manner.without(("way",), True) or manner
        self.manner = manner
        return written

    @contextmanager
    def _slot(self, call: Call) -> Iterator[None]:
        """One of the places for calls at a time, kept as locked files; waiting for one counts as time of the call."""
        taken: list[FileLock] = []

        def found() -> bool:
            for path in self._slots:
                lock = FileLock(path, timeout=0)
                with suppress(Timeout):
                    lock.acquire()
                    taken.append(lock)
                    return True
            return False

        try:
            os.makedirs(self._slots[0].parent, exist_ok=True)
            call.until(found)
            yield
        finally:
            for lock in taken:
                lock.release()


def _with(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """Some words more for the system, in one message: many models know only one, at the head."""
    if messages and messages[0].role == "system":
        return (Message("system", f"{messages[0].text}\n\n{text}"), *messages[1:])
    return (Message("system", text), *messages)


def _compact(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def _sentence(fault: Fault) -> ModelError:
    words = _CLOSER.get(fault.about) or _STATUS.get(fault.status) or _SENTENCES[fault.kind]
    return ModelError(words, fault.kind)
