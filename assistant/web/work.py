"""Long work behind the page: done in a thread and watched from outside.

Comes in: something to do that tells how far it is. Goes out: :class:`Moment` values, the last one ``finished``.
Whoever watches may go away; the work is finished all the same.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.errors import ZemingError
from assistant.importing import Outcome

READING, INDEXING = "读文件", "建索引"
_PAUSE = 0.2  # seconds between two moments
_LOG = logging.getLogger("zeming.web")
_FAULT = "程序出了差错，这一步没有做成，不是您的问题；可以再试一次，或者把出错时间告诉维护人员。"


@dataclass(frozen=True)
class Moment:
    """How far the work is. ``total`` is 0 where it is not known how much there is to do.

    With an ``error`` at :data:`READING` nothing was changed, whatever was told before.
    """

    stage: str = READING
    outcomes: tuple[Outcome, ...] = ()
    done: int = 0
    total: int = 0
    error: str = ""
    finished: bool = False


class Desk:
    """Where the work is done and says how far it is."""

    def __init__(self) -> None:
        self._now = Moment()
        self._guard = threading.Lock()
        self._news = threading.Event()

    def told(self, outcome: Outcome) -> None:
        """One more file is done."""
        with self._guard:
            self._now = replace(self._now, outcomes=(*self._now.outcomes, outcome))
        self._news.set()

    @contextmanager
    def progress(self, total: int, _what: str) -> Iterator[Callable[[int], object]]:
        """The index is being made. See :data:`assistant.indexing.Progress`."""
        self._say(stage=INDEXING, done=0, total=total)
        yield self._advance

    def index(self) -> None:
        """All files are done and in the library; what follows is the index."""
        self._say(stage=INDEXING, done=0, total=0)

    def watch(self, work: Callable[[Desk], object]) -> Iterator[Moment]:
        """Do the work in a thread; a moment whenever there is news, the last one ``finished``. Never raises."""
        threading.Thread(target=self._do, args=(work,), daemon=True).start()
        while True:
            self._news.wait()
            self._news.clear()
            now = self._now
            yield now
            if now.finished:
                return
            time.sleep(_PAUSE)

    def _do(self, work: Callable[[Desk], object]) -> None:
        self._news.set()
        try:
            work(self)
        except BaseException as error:
            self._say(error=sentence(error), finished=True)
        else:
            self._say(finished=True)

    def _advance(self, more: int) -> None:
        self._say(done=self._now.done + more)

    def _say(self, **changes: Any) -> None:
        with self._guard:
            self._now = replace(self._now, **changes)
        self._news.set()


def sentence(error: BaseException) -> str:
    """What a person is told of an error. Of a bug the log has type and place only, never contents."""
    if isinstance(error, ZemingError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    _LOG.error("知识库页面出错：%s，%s:%s", type(error).__name__, Path(place.filename).name, place.lineno)
    return _FAULT
