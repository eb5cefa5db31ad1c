"""Work that somebody waits for and may give up: it is left behind at once, and ends by itself.

Comes in: a name, by which work can be given up, and the work. Goes out: what it makes. Raises :class:`GivenUp`, and
whatever the work raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

MOST_LEFT = 1  # pieces of work that go on unwanted; the next one waits
_MOST_NAMES = 20

Made = TypeVar("Made")


class GivenUp(Exception):
    """It is not waited for any more."""


class Bench:
    """One piece of work at a time, in a thread of its own. Giving up is safe from other threads."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._given_up: set[str] = set()
        self._at_work = 0

    def do(self, name: str, work: Callable[[], Made]) -> Made:
        """What the work makes.

        Args:
            name: empty for work that cannot be given up.

        Raises:
            GivenUp: meanwhile, or before it began; nothing of the work is used.
        """
        task: Future[Made] = Future()
        with self._news:
            self._wait(name, lambda: self._at_work <= MOST_LEFT)
            self._at_work += 1
        threading.Thread(target=self._work, args=(task, work), name="answer", daemon=True).start()
        with self._news:
            self._wait(name, task.done)
        return task.result()

    def give_up(self, name: str) -> None:
        """Give up the work of that name; it may come before the work."""
        with self._news:
            while len(self._given_up) >= _MOST_NAMES:
                self._given_up.pop()
            if name:
                self._given_up.add(name)
            self._news.notify_all()

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        self._news.wait_for(lambda: name in self._given_up or ready())
        if name in self._given_up:
            self._given_up.clear()
            raise GivenUp

    def _work(self, task: Future[Made], work: Callable[[], Made]) -> None:
        try:
            task.set_result(work())
        except BaseException as error:
            task.set_exception(error)
        finally:
            with self._news:
                self._at_work -= 1
                self._news.notify_all()
