"""Parts that several tests share: the real knowledge base, the real model, a real index in a temporary folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.law.corpus import Corpus, load_corpus
from assistant.settings import Settings, load_settings

if TYPE_CHECKING:
    from assistant.wiring import Parts


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
