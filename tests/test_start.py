"""The second process that searches for commands which answer once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from assistant.adapters.search_process import SearchProcess
from assistant.errors import IndexUnavailable
from assistant.indexing import digest_of, entries
from assistant.wiring import Parts


@pytest.fixture
def ahead(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchProcess]:
    monkeypatch.setenv("ZEMING_DATA", str(parts.settings.data))
    process = SearchProcess("spawn")
    yield process
    process.close()


def test_it_finds_what_the_store_itself_finds(ahead: SearchProcess, parts: Parts) -> None:
    assert ahead.holds(digest_of(entries(parts.corpus, parts.advisor.cases)))
    assert not ahead.holds("another state")
    found = {hit.provision_id for hit in ahead.search("对问责决定不服怎么申诉", 20)}
    assert "wenze-2019#20" in found


def test_a_process_that_died_is_said_and_not_waited_for(ahead: SearchProcess) -> None:
    assert ahead.holds("another state") is False
    assert ahead._process.pid
    os.kill(ahead._process.pid, signal.SIGKILL)
    ahead._process.join()
    with pytest.raises(IndexUnavailable, match="检索进程意外结束"):
        ahead.search("申诉", 5)
    assert ahead.holds("another state") is False


def test_it_can_be_ended_at_any_moment_without_a_word(parts: Parts) -> None:
    """A command that fails at once ends the process while it still loads."""
    program = (
        "import sys, time; from assistant.adapters.search_process import SearchProcess\n"
        "process = SearchProcess(); time.sleep(float(sys.argv[1])); process.close()"
    )
    for pause in ("0", "0.02", "0.1", "0.3", "1.0"):
        done = subprocess.run(
            [sys.executable, "-c", program, pause], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_a_wrong_setting_is_said_once() -> None:
    program = "from assistant.start import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "ask", "算问责吗"], capture_output=True, text=True, timeout=60,
        env={**os.environ, "ZEMING_PORT": "八千"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "ZEMING_PORT" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
