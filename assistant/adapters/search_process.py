"""Search by meaning in a process of its own, for commands that answer once and end.

Loading Chroma and the model takes longer than everything else at start. In a second process it happens while
the first one reads the law and the question, and two cores are used. Goes out: a
:class:`~assistant.ports.VectorIndex`.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from typing import TYPE_CHECKING

from assistant.errors import IndexUnavailable
from assistant.ports import Hit

if TYPE_CHECKING:
    from assistant.adapters.vector_store import VectorStore

_store: VectorStore | None = None  # of the second process


class SearchProcess:
    """Starts loading when it is made; ``search`` waits for that. End it with ``close``.

    ``method`` is how the process is started. A fork is quick, and safe only while nothing has started threads;
    everywhere but at the very start of a command it must be "spawn".
    """

    def __init__(self, method: str = "fork" if sys.platform == "linux" else "spawn") -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method))
        self._pool.submit(_load)

    def holds(self, digest: str) -> bool:
        """Whether the published index is the one of that digest.

        Raises:
            SettingsError, EmbeddingError: what the store raises when it is made with these settings.
        """
        try:
            return self._pool.submit(_holds, digest).result()
        except BrokenExecutor:
            return False

    def search(self, text: str, k: int) -> Sequence[Hit]:
        """See :class:`~assistant.ports.VectorIndex`.

        Raises:
            IndexUnavailable, EmbeddingError: as the store itself would raise them.
        """
        try:
            return self._pool.submit(_search, text, k).result()
        except BrokenExecutor as error:
            raise IndexUnavailable("检索进程意外结束，这次只按字词检索。") from error

    def close(self) -> None:
        """End the process; nothing that it still does is waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _load() -> None:
    """What takes long whatever the settings are; the rest is made when it is asked for."""
    gc.disable()  # it only costs time while modules load; the process ends with the answer
    chroma = threading.Thread(target=importlib.import_module, args=("chromadb",), daemon=True)
    _made()
    chroma.start()


def _made() -> VectorStore:
    global _store
    if _store is None:
        from assistant.adapters.embeddings import fingerprint, make_embeddings
        from assistant.adapters.vector_store import VectorStore
        from assistant.settings import load_settings

        settings = load_settings()
        _store = VectorStore(settings, make_embeddings(settings), fingerprint(settings))
    return _store


def _holds(digest: str) -> bool:
    return _made().holds(digest)


def _search(text: str, k: int) -> list[Hit]:
    return _made().search(text, k)
