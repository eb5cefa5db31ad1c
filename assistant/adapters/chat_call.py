"""One call of a language model under way, and what can go wrong with it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress


class Fault(Exception):
    """Why a call came to nothing. Holds nothing that was sent or received.

    Args:
        kind: one of ``ModelError.KINDS``.
        status: of the HTTP answer, where there was one.
        wait: how many seconds the server wants to be left alone.
        again: asking again may help.
        refused: what of the request the server may not know (see :class:`assistant.adapters.chat_manner.Manner`).
        about: a closer reason, for the sentence: ``certificate``, ``long``.
    """

    def __init__(
        self,
        kind: str,
        status: int = 0,
        wait: float | None = None,
        again: bool = False,
        refused: tuple[str, ...] = (),
        about: str = "",
    ) -> None:
        super().__init__(kind)
        self.kind, self.status, self.wait, self.again = kind, status, wait, again
        self.refused, self.about = refused, about


class Call:
    """Ends at a fixed moment: whoever waits goes on then, and the connections are shut."""

    def __init__(self, seconds: float) -> None:
        self.started = time.monotonic()
        self._deadline = self.started + seconds
        self.reached = threading.Event()
        """Set once the server has been connected to, or the call is over."""
        self.streams = False  # the reply is to come in pieces
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._guard = threading.Lock()

    def left(self) -> float:
        """Seconds.

        Raises:
            Fault: none are left.
        """
        left = self._deadline - time.monotonic()
        if left <= 0 or self._over.is_set():
            raise Fault("late")
        return left

    def passed(self) -> float:
        return time.monotonic() - self.started

    def rest(self, seconds: float) -> None:
        """Wait.

        Raises:
            Fault: there is not so much time, or the call was given up meanwhile.
        """
        if seconds >= self.left() or self._over.wait(seconds):
            raise Fault("late")

    def until(self, done: Callable[[], bool], every: float = 0.03) -> None:
        """Wait until something is so.

        Raises:
            Fault: the time is up.
        """
        while not done():
            self.rest(min(every, self.left() * 0.9))

    def holds(self, opened: socket.socket) -> None:
        """Note a connection of this call."""
        with self._guard:
            self._sockets.append(opened)
        if self._over.is_set():
            self.give_up()

    def give_up(self) -> None:
        """Nobody waits any more: what is still read or written comes to an end."""
        self._over.set()
        with self._guard:
            for opened in self._sockets:
                with suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)
