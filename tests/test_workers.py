"""Processes that answer: fair, calm about faults, replaced when they die, and nothing of a question left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

import httpx
import pytest

from assistant.adapters.workers import WorkerFailed, Workers
from assistant.errors import KnowledgeError, QuestionError
from assistant.model import Question
from assistant.rendering import to_contract
from assistant.settings import Settings
from assistant.wiring import Crew, Office, Parts
from tests.browser import free_port
from tests.desk import make, make_nothing
from tests.processes import hears_ctrl_c


def no_report(_stage: str) -> None: ...


def nobody() -> object:
    raise AssertionError("a worker should have answered")


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    made = Workers(2, partial(make, tmp_path_factory.mktemp("desk")))
    yield made
    made.close()


def ask(workers: Workers, question: str) -> str:
    return str(workers.ask(question, no_report, nobody))


def both(workers: Workers, tries: int = 100, wait: float = 0.5) -> set[str]:
    """What two questions at once bring, when both processes have started."""
    for _ in range(tries):
        with ThreadPoolExecutor(2) as pool:
            said = set(pool.map(partial(ask, workers), [f"wait {wait}"] * 2))
        if len(said) == 2:
            break
    return said


def test_two_answer_at_once_in_processes_of_their_own(workers: Workers) -> None:
    both(workers)
    started = time.monotonic()
    said = both(workers, tries=1, wait=2)
    assert len(said) == 2
    assert str(os.getpid()) not in "".join(said)
    assert time.monotonic() - started < 3.8


def test_who_comes_first_is_served_first(workers: Workers) -> None:
    order: list[int] = []

    def one(number: int) -> None:
        ask(workers, "wait 0.1")
        order.append(number)

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(one, number)
            time.sleep(0.02)
    assert all(abs(place - number) <= 1 for place, number in enumerate(order)), order  # two at a time


def test_stages_come_in_order(workers: Workers) -> None:
    stages: list[str] = []
    workers.ask("hello", stages.append, nobody)
    assert stages == ["heard", "done"]


def test_a_listener_that_fails_leaves_the_line_in_order(workers: Workers) -> None:
    def gone(_stage: str) -> None:
        raise ConnectionResetError("the browser has left")

    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            workers.ask("one", gone, nobody)
    assert [ask(workers, name).split()[0] for name in ("two", "three", "four")] == ["two", "three", "four"]


def test_an_error_for_the_reader_arrives_as_it_was_raised(workers: Workers) -> None:
    with pytest.raises(KnowledgeError, match=r"rules\.yaml 第7行：写错了。") as raised:
        ask(workers, "refuse rules.yaml")
    assert (raised.value.file, raised.value.line) == ("rules.yaml", 7)


def test_of_a_bug_the_place_is_told_and_never_the_words(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(WorkerFailed) as raised:
        ask(workers, "bug 镇长收了红包")
    told = f"{raised.value} {raised.value.__cause__} {caplog.text}"
    assert "ValueError at desk.py" in told
    assert "红包" not in told
    assert ask(workers, "hello").startswith("hello")


def test_a_worker_that_dies_is_replaced_and_its_question_asked_again(workers: Workers) -> None:
    before = both(workers)
    assert ask(workers, "die first").startswith("die")
    assert both(workers) != before


def test_a_question_that_kills_is_asked_twice_and_no_more(workers: Workers) -> None:
    with pytest.raises(WorkerFailed):
        ask(workers, "always-die")
    assert ask(workers, "hello").startswith("hello")


def test_workers_that_died_while_idle_are_not_counted_against_a_question(workers: Workers) -> None:
    for said in both(workers):
        os.kill(int(said.split()[1]), signal.SIGKILL)
    time.sleep(0.5)
    assert ask(workers, "hello").startswith("hello")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_question_is_in_no_command_line_and_no_environment(workers: Workers) -> None:
    pid = ask(workers, "红包 hello").split()[1]
    for name in ("cmdline", "environ"):
        assert "红包".encode() not in Path(f"/proc/{pid}/{name}").read_bytes()


def test_where_no_process_can_be_had_the_caller_answers() -> None:
    workers = Workers(2, make_nothing)
    assert workers.ask("hello", no_report, lambda: "answered here") == "answered here"
    workers.close()


def test_closing_ends_the_processes_and_whoever_waits_is_told(tmp_path: Path) -> None:
    workers = Workers(1, partial(make, tmp_path))
    pid = int(ask(workers, "hello").split()[1])
    ended: list[BaseException] = []

    def one() -> None:
        try:
            ask(workers, "wait 30")
        except WorkerFailed as error:
            ended.append(error)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    workers.close()
    for thread in threads:
        thread.join(10)
    assert len(ended) == 3
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(WorkerFailed):
        ask(workers, "hello")


# ---------------------------------------------------------------- the real thing

STORY = "我是分管安全的副镇长，采石场长期违规开采，我知道后没有去查，后来塌方死了两个人。我会被问责吗？"
DAY = date(2026, 3, 20)


def test_a_crew_says_what_the_advisor_says_and_tells_the_stages(parts: Parts, settings: Settings) -> None:
    crew = Crew(Office(settings.model_copy(update={"workers": 2}), answers=False))
    crew.start()
    try:
        stages: list[str] = []
        texts = [STORY, "影响期内能不能提拔？", "帮我写一首诗"]
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(lambda text: to_contract(crew.ask(Question(text, DAY))), texts))
        crew.ask(Question(STORY, DAY), stages.append)
        assert stages == ["facts", "search", "judge", "verify"]
        wanted = [to_contract(parts.advisor.ask(Question(text, DAY))) for text in texts]
        assert [one | {"elapsed_ms": 0} for one in found] == [one | {"elapsed_ms": 0} for one in wanted]
        with pytest.raises(QuestionError, match="没有看到内容"):
            crew.ask(Question("", DAY))
    finally:
        crew.close()


def gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_ctrl_c_ends_everything_quietly(parts: Parts, settings: Settings) -> None:
    port = free_port()
    environment = {**os.environ, "ZEMING_PORT": str(port), "ZEMING_DATA": str(settings.data)}
    chat = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "chat"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=hears_ctrl_c,
    )
    try:
        assert chat.stdout is not None
        opened = next(line for line in chat.stdout if "责明已经打开" in line)
        assert httpx.get(f"http://127.0.0.1:{port}").status_code == 200  # while the crew still starts
        os.killpg(chat.pid, signal.SIGINT)
        rest, _ = chat.communicate(timeout=60)
        assert chat.returncode == 0
        assert "Traceback" not in opened + rest
        deadline = time.monotonic() + 5
        while not gone(chat.pid):
            assert time.monotonic() < deadline, "somebody is left in the group"
            time.sleep(0.1)
    finally:
        if chat.poll() is None:
            os.killpg(chat.pid, signal.SIGKILL)
