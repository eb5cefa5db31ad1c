"""The second process that searches for commands which answer once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.adapters.search_process import SearchProcess
from assistant.indexing import digest_of, entries
from assistant.wiring import Parts


@pytest.fixture
def ahead(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[SearchProcess]:
    monkeypatch.setenv("ZEMING_DATA", str(parts.settings.data))
    process = SearchProcess("spawn")
    yield process
    process.close()


def test_it_finds_what_the_store_itself_finds(ahead: SearchProcess, parts: Parts) -> None:
    assert ahead.holds(digest_of(entries(parts.corpus)))
    assert not ahead.holds("another state")
    found = {hit.provision_id for hit in ahead.search("对问责决定不服怎么申诉", 20)}
    assert "wenze-2019#20" in found
