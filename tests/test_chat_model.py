"""The language model of an office, against a real server that behaves well and badly. Every call ends in time, in a
reply or in one sentence; key, story and replies stay where they belong."""

from __future__ import annotations

import gc
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from assistant.adapters.chat_model import REACHED_WITHIN, OpenAIChat, make_chat_model
from assistant.allowance import Allowance
from assistant.cli import main
from assistant.errors import ModelError, SettingsError
from assistant.ports import Message, Reply
from assistant.settings import Settings, load_settings
from assistant.wiring import Parts
from tests.model_server import (
    Answer,
    Asked,
    Does,
    breaks_off,
    busy,
    cut,
    dribbles,
    fails,
    hangs,
    huge,
    model_server,
    no_choices,
    nobody,
    page,
    resets,
    slow,
)

ROOT = Path(__file__).parent.parent
KEY, STORY, ANSWERED = "sk-geheim-0815", "副镇长甲某瞒报了一次塌方", "经过是这样的"
ASK = [Message("system", "你读情况。"), Message("user", STORY)]
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
BUSY_MACHINE = 1.5
"""Seconds that a thread may come late on a machine with other work."""

Made = Callable[..., OpenAIChat]


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """The client's library is loaded before anything is measured."""
    import assistant.adapters.chat_wire  # noqa: F401


@pytest.fixture
def chat(tmp_path: Path) -> Made:
    """A model at an address, with a short time."""

    def made(url: str, **given: Any) -> OpenAIChat:
        usual = {"data": tmp_path, "model": "试验模型", "model_key": KEY, "model_timeout": 5.0}
        model = make_chat_model(load_settings(model_url=url, **{**usual, **given}))
        assert model is not None
        return model

    return made


def said(model: OpenAIChat, schema: dict[str, Any] | None = None, **given: Any) -> Reply | ModelError:
    """What comes of one call. It always comes, and in time."""
    started = time.monotonic()
    outcome: Reply | ModelError
    try:
        outcome = model.complete(ASK, schema, **given)
    except ModelError as error:
        outcome = error
    assert time.monotonic() - started < given.get("seconds", model._timeout) + BUSY_MACHINE
    for secret in (KEY, STORY, ANSWERED):
        if isinstance(outcome, ModelError):
            assert secret not in f"{outcome!r} {outcome} {outcome.__cause__!r} {outcome.__context__!r}"
    return outcome


def kind(outcome: Reply | ModelError) -> str:
    return outcome.kind if isinstance(outcome, ModelError) else outcome.text


# ---------------------------------------------------------------- behaviours


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    ("answers", "comes", "asked"),
    [
        ([ANSWERED], ANSWERED, 1),
        ([slow(ANSWERED, 0.3)], ANSWERED, 1),
        ([Does(f"<think>先想一想</think>\n{ANSWERED}")], ANSWERED, 1),
        ([slow(ANSWERED, 30)], "late", 1),
        ([hangs(ANSWERED)], "late", 1),
        ([dribbles(ANSWERED)], "late", 1),
        ([busy(), ANSWERED], ANSWERED, 2),
        ([busy()], "busy", 2),
        ([busy(retry_after=0.4), ANSWERED], ANSWERED, 2),
        ([busy(retry_after=3600), ANSWERED], "busy", 1),
        ([fails(500), ANSWERED], ANSWERED, 2),
        ([fails(500)], "failed", 2),
        ([fails(502), ANSWERED], ANSWERED, 2),
        ([fails(503), ANSWERED], ANSWERED, 2),
        ([fails(504), ANSWERED], ANSWERED, 2),
        ([resets(), ANSWERED], ANSWERED, 2),
        ([resets()], "failed", 2),
        ([breaks_off(ANSWERED)], "failed", 2),
        ([fails(401, f"invalid key {KEY}")], "refused", 1),
        ([fails(404, f"no such model, you said {STORY}")], "refused", 1),
        ([fails(400, "This model's maximum context length is 512 tokens")], "refused", 1),
        ([Does(status=302, headers={"Location": "http://127.0.0.1:9/v1"}, body=b"")], "refused", 1),
        ([cut(ANSWERED)], "cut", 1),
        ([huge()], "cut", 1),
        ([Does("")], "unusable", 1),
        ([page()], "unusable", 1),
        ([Does(body=b"{{{", content_type="application/octet-stream")], "unusable", 1),
        ([Does(body=b"\xff\xfe\x00", content_type="application/octet-stream")], "unusable", 1),
    ],
)
def test_each_behaviour_ends_in_time(
    chat: Made, answers: list[Answer], comes: str, asked: int, streams: bool
) -> None:
    late = comes == "late"
    with model_server(*answers, lacks=() if streams else ("stream",)) as server:
        model = chat(server.url, model_timeout=1.0 if late else 5.0)
        assert kind(said(model)) == comes
        answered = [a for a in server.asked if streams or not a.streamed]
        assert len(answered) == asked or late  # a busy machine may not even get to asking
    assert _ended(), "a thread still waits for the server"


def _ended() -> bool:
    deadline = time.monotonic() + 5
    while any(t.name == "chat-model" for t in threading.enumerate()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.filterwarnings("ignore:Pydantic serializer")
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"choices": null}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": {"content": {"a": 1}}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"role": "assistant", "content": "x"}, "finish_reason"',
        b'{"error": {"message": "overloaded"}}',
        b'data: {"error": {"message": "overloaded"}}\n\n',
        b"data: {{{\n\ndata: [DONE]\n\n",
        b'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        b"data: [DONE]\n\n",
    ],
)
def test_what_is_no_reply_is_an_error(chat: Made, body: bytes, content_type: str) -> None:
    with model_server(Does(body=body, content_type=content_type)) as server:
        assert kind(said(chat(server.url))) in ("unusable", "cut", "failed")


def test_no_choices_and_no_end_are_asked_for_once_more_without_streaming(chat: Made) -> None:
    with model_server(no_choices()) as server:
        assert kind(said(chat(server.url))) == "unusable"
        assert [a.streamed for a in server.asked] == [True, False]
    with model_server(Does(ANSWERED, finish=None)) as server:
        assert kind(said(chat(server.url))) == "cut"


def test_tokens_are_those_of_the_server_and_zero_where_it_does_not_say(chat: Made) -> None:
    with model_server("好", Does("好", counts=False)) as server:
        model = chat(server.url)
        first, second = said(model), said(model)
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (first.tokens, second.tokens) == (len(server.asked[0].prompt) + 1, 0)
    assert server.asked[0].body["max_tokens"] == 800
    assert server.asked[0].body["temperature"] == 0


# ---------------------------------------------------------------- structured output


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    ("lacks", "way"),
    [
        ([], "json_schema"),
        (["json_schema"], "json_object"),
        (["json_schema", "json_object"], "tools"),
        (["json_schema", "json_object", "tools"], ""),
    ],
)
def test_structured_output_in_the_way_the_server_has(
    chat: Made, lacks: list[str], way: str, streams: bool
) -> None:
    with model_server('{"a": 1}', lacks=[*lacks, *([] if streams else ["stream"])]) as server:
        model = chat(server.url)
        assert json.loads(kind(said(model, SCHEMA))) == {"a": 1}
        found_out = len(server.asked)
        assert json.loads(kind(said(model, SCHEMA))) == {"a": 1}
        assert len(server.asked) == found_out + 1  # it is remembered
        last = server.asked[-1]
    assert (last.way, last.streamed) == (way, streams)
    assert last.schema == (SCHEMA if way in ("json_schema", "tools") else None)
    assert ('"additionalProperties":false' in last.prompt) == (way in ("json_object", ""))
    assert [role for role, _ in last.messages] == ["system", "user"]


def test_a_server_that_takes_the_parameter_and_ignores_it_is_asked_otherwise_next_time(chat: Made) -> None:
    def ignoring(asked: Asked) -> str:
        return "" if asked.way == "" else "我想说的是……"

    with model_server(ignoring) as server:
        model = chat(server.url)
        for _ in range(3):
            assert kind(said(model, SCHEMA)) == "我想说的是……"
        assert [a.way for a in server.asked] == ["json_schema", "json_object", "tools"]


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_json_that_was_cut_off_comes_as_it_is_and_changes_no_manner(chat: Made, streams: bool) -> None:
    """A small model that repeats itself reaches the limit; its whole items are good. Prose that is cut off is not."""
    with model_server(cut('{"a": 1, "b": ['), cut(ANSWERED), lacks=[] if streams else ["stream"]) as server:
        model = chat(server.url)
        assert kind(said(model, SCHEMA)) == '{"a": 1, "b": ['
        assert kind(said(model, SCHEMA)) == "cut"
        assert server.asked[-1].way == "json_schema"


@pytest.mark.parametrize("lacks", [["stream_options"], ["max_tokens"], ["temperature"], ["stream"]])
def test_parameters_that_a_server_does_not_know_are_left_out(chat: Made, lacks: list[str]) -> None:
    with model_server(ANSWERED, lacks=lacks) as server:
        model = chat(server.url)
        assert kind(said(model)) == ANSWERED
        assert kind(said(model)) == ANSWERED
        assert len(server.asked) == 3
        assert not server.asked[-1].body.get(lacks[0])


def test_a_refusal_that_nothing_helps_against_ends(chat: Made) -> None:
    with model_server(fails(400, "no")) as server:
        model = chat(server.url)
        assert kind(said(model, SCHEMA)) == "refused"
        assert len(server.asked) < 12
        assert model.manner == chat(server.url).manner  # nothing is learned from it


# ---------------------------------------------------------------- time, retries, concurrency


def test_retries_are_as_many_as_the_setting_says(chat: Made) -> None:
    for retries in (0, 2):
        with model_server(fails()) as server:
            assert kind(said(chat(server.url, model_retries=retries))) == "failed"
            assert len(server.asked) == retries + 1


def test_retry_after_is_respected(chat: Made) -> None:
    with model_server(busy(retry_after=1), ANSWERED) as server:
        assert kind(said(chat(server.url))) == ANSWERED
        first, second = server.asked
    assert second.at - first.at >= 1


def test_a_caller_may_give_less_time_than_the_setting(chat: Made) -> None:
    with model_server(slow(ANSWERED, 30)) as server:
        assert kind(said(chat(server.url, model_timeout=60), seconds=0.5)) == "late"


def test_not_more_calls_at_a_time_than_the_setting_says_whoever_makes_them(chat: Made) -> None:
    with model_server(slow(ANSWERED, 0.2)) as server:
        models = [chat(server.url, model_concurrency=2, model_timeout=20) for _ in range(2)]
        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(lambda n: kind(said(models[n % 2])), range(6)))
    assert outcomes == [ANSWERED] * 6
    assert server.most_at_once == 2


def test_waiting_for_a_place_counts_as_time(chat: Made) -> None:
    with model_server(slow(ANSWERED, 3)) as server:
        model = chat(server.url, model_concurrency=1, model_timeout=10)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(said, model)
            while not server.asked:
                time.sleep(0.01)
            assert kind(said(model, seconds=0.5)) == "late"
            assert kind(first.result()) == ANSWERED
        assert len(server.asked) == 1


# ---------------------------------------------------------------- no server


def test_a_server_that_is_not_there_is_left_alone_for_a_while(chat: Made) -> None:
    url = nobody()
    model = chat(url, model_timeout=60)
    started = time.monotonic()
    assert kind(said(model)) == "unreachable"
    assert time.monotonic() - started < REACHED_WITHIN + BUSY_MACHINE
    with socket.create_server(("127.0.0.1", int(url.split(":")[2].split("/")[0]))) as listening:
        listening.settimeout(0.3)
        assert kind(said(model)) == "unreachable"
        with pytest.raises(TimeoutError):
            listening.accept()
        model._shunned_until = 0.0  # the while is over
        assert kind(said(model, seconds=0.5)) == "late"
        listening.accept()[0].close()


def test_a_server_that_does_not_answer_the_door(chat: Made) -> None:
    """Its queue is full: connecting neither works nor fails."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = []
        for _ in range(4):
            knocking = socket.socket()
            knocking.setblocking(False)
            knocking.connect_ex(full.getsockname())
            waiting.append(knocking)
        started = time.monotonic()
        model = chat(f"http://127.0.0.1:{full.getsockname()[1]}/v1", model_timeout=60)
        assert kind(said(model)) == "unreachable"
        assert time.monotonic() - started < REACHED_WITHIN + BUSY_MACHINE
        for knocking in waiting:
            knocking.close()


def test_a_host_that_does_not_exist(chat: Made) -> None:
    assert kind(said(chat("http://niemand.invalid/v1"))) == "unreachable"


def test_certificates_are_verified(chat: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with model_server(ANSWERED, context=context) as server:
        outcome = said(chat(server.url))
        assert kind(outcome) == "unreachable"
        assert "证书" in str(outcome)
        assert not server.asked
        authority.cert_pem.write_to_path(tmp_path / "own.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
        assert kind(said(chat(server.url))) == ANSWERED


# ---------------------------------------------------------------- what an answer may spend


def _outcome(allowance: Allowance) -> str:
    try:
        return allowance.complete(ASK, most_tokens=400).text
    except ModelError as error:
        return error.kind


class TestAllowance:
    def test_tokens_run_out(self, chat: Made) -> None:
        with model_server("一" * 100) as server:
            allowance = Allowance(chat(server.url), tokens=600, seconds=20)
            assert allowance.name == "试验模型"
            allowance.complete(ASK, most_tokens=200)
            assert server.asked[0].body["max_tokens"] == 200
            assert 100 <= allowance.tokens_spent <= 200
            outcomes = [_outcome(allowance) for _ in range(10)]
            assert outcomes[0] != "budget"
            assert outcomes[-1] == "budget"
            assert allowance.tokens_spent <= 600
            assert server.asked[-1].body["max_tokens"] < 400

    def test_a_story_that_is_too_long_is_not_even_sent(self, chat: Made) -> None:
        with model_server("好") as server:
            with pytest.raises(ModelError) as raised:
                Allowance(chat(server.url), 1000, 20).complete([Message("user", "长" * 4000)])
            assert raised.value.kind == "budget"
            assert not server.asked

    def test_seconds_run_out(self, chat: Made) -> None:
        with model_server(slow("好", 30)) as server:
            allowance = Allowance(chat(server.url, model_timeout=60), 6000, seconds=0.7)
            for _ in range(2):
                with pytest.raises(ModelError) as raised:
                    allowance.complete(ASK)
                assert raised.value.kind == "late"
            assert len(server.asked) <= 1

    def test_a_server_that_is_not_there_costs_no_tokens(self, chat: Made) -> None:
        allowance = Allowance(chat(nobody()), 6000, 20)
        with pytest.raises(ModelError):
            allowance.complete(ASK)
        assert allowance.tokens_spent == 0


# ---------------------------------------------------------------- settings


def test_no_model_is_a_normal_state(settings: Settings) -> None:
    assert make_chat_model(settings) is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"model": "m"}, "没有设置 ZEMING_MODEL_URL"),
        ({"model_url": "http://a/v1"}, "没有设置 ZEMING_MODEL，"),
        ({"model": "m", "model_url": "ftp://a/v1"}, "ZEMING_MODEL_URL 不是可用的地址"),
        ({"model": "m", "model_url": f"http://u:{KEY}@a/v1"}, "ZEMING_MODEL_URL 不是可用的地址"),
        ({"model": "m", "model_url": f"http://a/v1?key={KEY}"}, "ZEMING_MODEL_URL 不是可用的地址"),
        ({"model": "m", "model_url": "http://a:70000/v1"}, "ZEMING_MODEL_URL 不是可用的地址"),
        ({"model_key": KEY, "model_key_file": "x"}, "只能设置一个"),
        ({"model_key": [KEY]}, "ZEMING_MODEL_KEY 的值不可用"),
        ({"model_uses": "all"}, "ZEMING_MODEL_USES"),
        ({"model_timeout": 0}, "ZEMING_MODEL_TIMEOUT"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(**given)
    assert sentence in str(raised.value)
    assert KEY not in f"{raised.value} {raised.value.__cause__!r}"


def test_the_key_may_stand_in_a_file(chat: Made, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n", "utf-8")
    with model_server(ANSWERED) as server:
        said(chat(server.url, model_key="", model_key_file=file))
        said(chat(server.url, model_key=""))
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        assert "authorization" not in server.asked[1].headers
    for content in ("", "\n", "钥匙串", "a\tb"):
        file.write_text(content, "utf-8")
        with pytest.raises(SettingsError, match="ZEMING_MODEL_KEY_FILE") as raised:
            chat("http://127.0.0.1/v1", model_key="", model_key_file=file)
        assert not content.strip() or content not in str(raised.value)
    with pytest.raises(SettingsError, match="读不了"):
        chat("http://127.0.0.1/v1", model_key="", model_key_file=tmp_path / "nothing")


# ---------------------------------------------------------------- as a program


def program(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


TALKATIVE = {  # everything in an environment that makes the client talk, or talk to somebody else
    "OPENAI_LOG": "debug",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "OPENAI_API_BASE": "http://127.0.0.1:9/v1",
    "OPENAI_API_KEY": "sk-another",
    "OPENAI_ORG_ID": "org-hidden",
    "OPENAI_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
    "no_proxy": "",
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "ls-key",
    "LC_OUTPUT_VERSION": "responses/v1",
}


def test_nothing_is_logged_and_nobody_else_is_told(tmp_path: Path) -> None:
    code = """
import json, logging, sys
logging.basicConfig(level=logging.DEBUG)
from assistant.adapters.chat_model import make_chat_model
from assistant.errors import ModelError
from assistant.ports import Message
from assistant.settings import load_settings
model = make_chat_model(load_settings())
for n in range(10):
    try:
        model.complete([Message("user", sys.argv[1])], json.loads(sys.argv[2]) if n % 2 else None)
    except ModelError as error:
        print(error)
logging.getLogger("mine").debug("heard")
"""
    odd = Does(body=json.dumps({"choices": [{"message": {"content": [ANSWERED]}}]}).encode())
    piece = json.dumps({"choices": [{"delta": {"content": 7, "x": STORY}}]})
    odder = Does(body=f"data: {piece}\n\n".encode(), content_type="text/event-stream")
    bad = [fails(500, STORY), odd, odder, fails(401, KEY), resets(), fails(400, f"{KEY} {STORY}")]
    with model_server(ANSWERED, ANSWERED, *bad) as server:
        environment = {
            **TALKATIVE,
            "LANGSMITH_ENDPOINT": server.url.replace("/v1", "/traces"),
            "ZEMING_DATA": str(tmp_path),
            "ZEMING_MODEL": "试验模型",
            "ZEMING_MODEL_URL": server.url,
            "ZEMING_MODEL_KEY": KEY,
        }
        done = program(code, STORY, json.dumps(SCHEMA), **environment)
        heads = [asked.headers for asked in server.asked]
        paths = {asked.path for asked in server.asked}
    assert done.returncode == 0, done.stderr
    assert "heard" in done.stderr
    assert "Warning" not in done.stderr
    for secret in (KEY, STORY, ANSWERED, "ls-key", "sk-another"):
        assert secret not in done.stdout + done.stderr
    assert paths == {"/v1/chat/completions"}
    for head in heads:
        assert head["authorization"] == f"Bearer {KEY}"
        assert not [name for name in head if name.startswith(("x-", "openai-"))]
        assert head["user-agent"] == "zeming"


def test_without_the_extension_one_sentence_says_how_to_install_it(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["langchain_openai"] = None
from assistant.adapters.chat_model import make_chat_model
from assistant.errors import ModelError
from assistant.ports import Message
from assistant.settings import load_settings
try:
    make_chat_model(load_settings()).complete([Message("user", "x")])
except ModelError as error:
    print(error.kind, error)
"""
    with model_server() as server:
        done = program(code, ZEMING_DATA=str(tmp_path), ZEMING_MODEL="m", ZEMING_MODEL_URL=server.url)
    assert done.stdout.startswith("missing 没有安装")
    assert "pip install 'zeming[openai]'" in done.stdout


def test_without_a_model_its_libraries_are_not_loaded(parts: Parts) -> None:
    """``httpx`` itself is loaded for official sites; what is built on it for models is not."""
    code = """
import sys
sys.argv = ["zeming", "ask", "对问责决定不服多久内申诉？"]
from assistant.start import main
try:
    main()
finally:
    names = ("openai", "langchain_openai", "httpx2", "tiktoken", "xllamacpp", "assistant.adapters.chat_model")
    print([name for name in names if name in sys.modules], file=sys.stderr)
"""
    done = program(code, ZEMING_DATA=str(parts.settings.data))
    assert done.stderr.splitlines()[-1] == "[]", done.stderr
    assert "第二十条" in done.stdout


# ---------------------------------------------------------------- zeming model check

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``zeming model check``: its exit code and what it wrote on the two screens."""

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        cleared = dict.fromkeys(("ZEMING_MODEL", "ZEMING_MODEL_URL", "ZEMING_MODEL_KEY"), "")
        for name, value in {**cleared, "ZEMING_DATA": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["zeming", "model", "check", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        gc.enable()
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return run


def able(asked: Asked) -> str:
    if "会议室" in asked.prompt:
        return '{"地点": "二楼会议室", "人数": 12}'
    if "收到" in asked.prompt:
        return "收到"
    return "开会之前要先定好议题，把通知发到每一个人，材料提前一天印好，话筒和投影当天早上再试一遍。"


def test_check_without_a_model(check: Run) -> None:
    code, shown, complaint = check()
    assert (code, complaint) == (0, "")
    assert "没有设置大模型，答复照常" in shown
    assert json.loads(check("--json")[1])["configured"] is False


def test_check_of_a_good_model(check: Run) -> None:
    with model_server(able, lacks=["json_schema"]) as server:
        given = {"ZEMING_MODEL": "甲", "ZEMING_MODEL_URL": server.url, "ZEMING_MODEL_KEY": KEY}
        code, shown, complaint = check(**given)
        found = json.loads(check("--json", **given)[1])
    assert code == 0, complaint
    assert shown.endswith("可以用。\n")
    for words in ("连得上", "答一句短的用", "个 token", "写的是中文", "json_object（工具调用"):
        assert words in shown
    assert KEY not in shown + complaint + json.dumps(found)
    assert found["usable"]
    assert found["way"] == "json_object"
    assert found["ways"]["json_schema"] == "refused"
    assert found["long_seconds"] > 0


def test_check_of_a_slow_model_that_writes_english_and_no_json(check: Run) -> None:
    def poor(asked: Asked) -> Does | str:
        return (
            slow("Before a meeting one prepares the agenda.", 0.8) if "开会之前" in asked.prompt else "收到"
        )

    with model_server(poor) as server:
        code, shown, complaint = check(
            ZEMING_MODEL="甲", ZEMING_MODEL_URL=server.url, ZEMING_MODEL_TIMEOUT="1.5"
        )
    assert code == 0, complaint
    for words in ("偏慢", "不是中文", "结构化输出不能用", "ZEMING_MODEL_USES=wording", "能用，请看"):
        assert words in shown


def test_check_of_a_model_that_finds_no_end_unless_a_format_holds_it(check: Run) -> None:
    def endless(asked: Asked) -> Does | str:
        return '{"地点": "二楼会议室", "人数": 12}' if asked.way == "json_schema" else cut("收到收到收到")

    with model_server(endless) as server:
        code, shown, complaint = check(ZEMING_MODEL="甲", ZEMING_MODEL_URL=server.url)
    assert code == 0, complaint
    for words in ("没有说完", "不是对话模型", "结构化输出能用", "能用，请看"):
        assert words in shown


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (slow("收到", 30), "ZEMING_MODEL_TIMEOUT"),
        (busy(), "过一会儿再试"),
        (fails(500), "大模型服务自己的日志"),
        (fails(401), "密钥"),
        (fails(404), "没有叫“甲”的模型，有：试验模型"),
        (cut("想"), "思考"),
        (page(), "一般以 /v1 结尾"),
    ],
)
def test_check_of_a_broken_model_says_what_to_do(check: Run, answer: Does, words: str) -> None:
    with model_server(answer) as server:
        code, shown, _ = check(ZEMING_MODEL="甲", ZEMING_MODEL_URL=server.url, ZEMING_MODEL_TIMEOUT="3")
    assert code == 1
    assert words in shown
    assert shown.endswith("现在不能用；答复照常，只是不用大模型。\n")


def test_check_where_nobody_is(check: Run) -> None:
    code, shown, complaint = check(ZEMING_MODEL="甲", ZEMING_MODEL_URL=nobody())
    assert code == 1
    assert "连不上大模型" in shown
    code, _, complaint = check(ZEMING_MODEL="甲")
    assert code == 1
    assert complaint == "设置了 ZEMING_MODEL，没有设置 ZEMING_MODEL_URL，请两样都写上，或者都去掉。\n"
