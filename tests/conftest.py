"""Parts that several tests share: the real knowledge base, the real model, a real index in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.law.corpus import Corpus, load_corpus
from assistant.settings import Settings, load_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

    from assistant.wiring import Parts
    from tests.postgres import Cluster

# The long files come first, so that no core waits at the end. While the first of them prepares what is learned and
# the index, the next two go on without.
LONG = (
    "test_kb", "test_admin", "test_hostile_files", "test_web_knowledge", "test_cli", "test_chat", "test_chat_page",
    "test_model_answers", "test_accessibility", "test_chat_helped", "test_workers", "test_vector_store",
    "test_receipts", "test_assisted", "test_evaluation_model", "test_small_model", "test_drafting", "test_gate",
    "test_readers", "test_learned", "test_records", "test_accounts", "test_abstain", "test_evaluation_run",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files are handed out in this order: ``--dist loadfile --no-loadscope-reorder``."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session")
def settings(request: pytest.FixtureRequest) -> Settings:
    """The default settings; what is written goes to pytest's cache, so that a second run finds its index."""
    return load_settings(data=Path(request.config.cache.mkdir("zeming-data")))


@pytest.fixture(scope="session")
def corpus(settings: Settings) -> Corpus:
    return load_corpus(settings.knowledge)


@pytest.fixture(scope="session")
def parts(settings: Settings) -> Parts:
    """The whole assistant, built once: real knowledge, real embedding model, real Chroma."""
    from assistant.wiring import build  # late: tests that need none of it stay quick

    return build(settings)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of our own, thrown away at the end."""
    from tests.postgres import start

    with start() as cluster:
        if cluster is None:
            pytest.skip("没有安装 PostgreSQL：apt-get install -y postgresql。")
        yield cluster


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser import CHROMIUM, FLAGS

    if not Path(CHROMIUM).exists():
        pytest.fail(f"没有找到 {CHROMIUM}，请先安装：apt-get install -y chromium fonts-noto-cjk。")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def requests() -> list[str]:
    """The addresses that the pages asked for."""
    return []


@pytest.fixture
def context(browser: Browser, requests: list[str]) -> Iterator[BrowserContext]:
    """A visitor of his own; patient, as the machine may be busy."""
    opened = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="zh-CN", accept_downloads=True
    )
    opened.set_default_timeout(60_000)
    opened.on("request", lambda request: requests.append(request.url))
    yield opened
    opened.close()
