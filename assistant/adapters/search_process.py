"""Search by meaning in a process of its own, for commands that answer once and end.

Loading Chroma and the model takes longer than everything else at start. In a second process it happens while
the first one reads the law and the question, and two cores are used. Goes out: a
:class:`~assistant.ports.VectorIndex`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import multiprocessing
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, TypeVar

from assistant.errors import IndexUnavailable, ZemingError
from assistant.ports import Hit

if TYPE_CHECKING:
    from assistant.adapters.vector_store import VectorStore

Answer = TypeVar("Answer")

_store: VectorStore | None = None  # of the second process


class SearchProcess:
    """Starts loading when it is made; ``search`` waits for that. End it with ``close``.

    ``method`` is how the process is started. A fork is quick, and safe only while nothing has started threads;
    everywhere but at the very start of a command it must be "spawn".
    """

    def __init__(self, method: str = "fork" if sys.platform == "linux" else "spawn") -> None:
        context = multiprocessing.get_context(method)
        self._line, far = context.Pipe()
        self._process = context.Process(target=_serve, args=(far, self._line), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        far.close()

    def holds(self, digest: str) -> bool:
        """Whether the published index is the one of that digest.

        Raises:
            SettingsError, EmbeddingError: what the store raises when it is made with these settings.
        """
        try:
            return self._asked(_holds, digest)
        except (EOFError, OSError):
            return False

    def search(
        self, text: str, k: int, group: str = "rules", keys: Sequence[str] | None = None
    ) -> Sequence[Hit]:
        """See :class:`~assistant.ports.VectorIndex`.

        Raises:
            IndexUnavailable, EmbeddingError: as the store itself would raise them.
        """
        try:
            return self._asked(_search, text, k, group, keys)
        except (EOFError, OSError) as error:
            raise IndexUnavailable("检索进程意外结束，这次只按字词检索。") from error

    def close(self) -> None:
        """End the process; nothing that it still does is waited for. It only reads, so nothing is lost."""
        self._line.close()
        self._process.kill()
        self._process.join()

    def _asked(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        self._line.send((function, arguments))
        answer: Answer | ZemingError = self._line.recv()
        if isinstance(answer, ZemingError):
            raise answer
        return answer


def _serve(line: Connection, other_end: Connection) -> None:
    """Answer what comes over the line until its other end is closed, by the first process or by its death."""
    other_end.close()
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        with contextlib.suppress(ZemingError):  # the first process meets it as well, and says it
            _load()
        while True:
            function, arguments = line.recv()
            try:
                line.send(function(*arguments))
            except ZemingError as error:
                line.send(error)


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


def _search(text: str, k: int, group: str, keys: Sequence[str] | None) -> list[Hit]:
    return _made().search(text, k, group, keys)
