"""Processes that answer beside one another; one process of Python answers one question at a time.

Comes in: how many, and how each makes what it answers with. Goes out: answers, to whoever came first. What is asked
goes through pipes alone. Raises the :class:`ZemingError` that a process raised, or :class:`WorkerFailed`.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from assistant.errors import ZemingError

Report = Callable[[str], None]
Answers = Callable[[Any, Report], Any]  # what is asked, and whom to tell of each stage -> the answer
Made = tuple[Answers, Iterator[Any]]  # what answers, and what it does bit by bit while nobody asks

_LOG = logging.getLogger("zeming.workers")
_GONE = (EOFError, OSError)  # of a pipe whose other end is closed


class WorkerFailed(Exception):
    """A fault of the program in a worker. Says where, never what was asked."""


class Workers:
    """Starts its processes in the background. Safe from several threads; end it with ``close``."""

    def __init__(self, count: int, make: Callable[[], Made]) -> None:
        """``make`` is called once in each process; it must be something that can be pickled."""
        self._make = pickle.dumps(make)
        self._guard = threading.Lock()
        self._idle: deque[_Worker] = deque()
        self._waiting: deque[Future[_Worker | None]] = deque()
        self._all: set[_Worker] = set()
        self._expected = count  # those that answer, or soon will
        self._closed = False
        for _ in range(count):
            self._hire()

    def ask(self, question: Any, report: Report, otherwise: Callable[[], Any]) -> Any:
        """The answer, when it is this question's turn.

        Args:
            report: is told of each stage.
            otherwise: answers where no process can be had.

        Raises:
            ZemingError: as the worker raised it.
            WorkerFailed: a fault of the program, or two workers died over the question.
        """
        died = 0
        while died < 2:
            worker = self._take()
            if worker is None:
                return otherwise()
            if not worker.alive():
                self._replace(worker)
                continue
            try:
                answer = worker.ask(question, report)
            except _Died:
                died += 1
                self._replace(worker)
            except BaseException:
                self._give(worker)
                raise
            else:
                self._give(worker)
                return answer
        raise WorkerFailed("two workers ended over one question")

    def close(self) -> None:
        """End all processes. Whoever waits is told that nothing answers any more."""
        with self._guard:
            self._closed = True
            workers, waiting = list(self._all), list(self._waiting)
            self._all.clear()
            self._idle.clear()
            self._waiting.clear()
        for worker in workers:
            worker.end()
        for turn in waiting:
            turn.set_exception(WorkerFailed("closed"))

    # ------------------------------------------------------------ who is free

    def _take(self) -> _Worker | None:
        """A free worker, first come first served; None where none is left and none will come."""
        with self._guard:
            if self._closed:
                raise WorkerFailed("closed")
            if self._idle:
                return self._idle.popleft()
            if not self._expected:
                return None
            turn: Future[_Worker | None] = Future()
            self._waiting.append(turn)
        return turn.result()

    def _give(self, worker: _Worker) -> None:
        with self._guard:
            if worker not in self._all:
                return  # closed meanwhile
            if self._waiting:
                self._waiting.popleft().set_result(worker)
            else:
                self._idle.append(worker)

    def _hire(self) -> None:
        threading.Thread(target=self._start, name="worker-start", daemon=True).start()

    def _start(self) -> None:
        try:
            worker = _Worker(self._make)
        except Exception:  # no memory for a process, or the like: those that are there answer, or the caller
            self._lost()
            return
        with self._guard:
            if not self._closed:
                self._all.add(worker)
        if self._closed:
            worker.end()
        elif worker.ready():
            self._give(worker)
        else:
            self._dismiss(worker)
            self._lost()

    def _replace(self, worker: _Worker) -> None:
        self._dismiss(worker)
        if not self._closed:
            self._hire()

    def _dismiss(self, worker: _Worker) -> None:
        with self._guard:
            self._all.discard(worker)
        worker.end()

    def _lost(self) -> None:
        """One less will come; whoever waits for the last one waits in vain."""
        with self._guard:
            self._expected -= 1
            waiting = list(self._waiting) if not self._expected else []
            if waiting:
                self._waiting.clear()
        for turn in waiting:
            turn.set_result(None)


class _Died(Exception):
    """The process ended before it answered."""


class _Worker:
    """One process and the pipe to it. Used by one thread at a time."""

    def __init__(self, make: bytes) -> None:
        context = get_context("spawn")
        self._ending = threading.Lock()
        self._line, far = context.Pipe()
        self._process: BaseProcess = context.Process(target=_serve, args=(far, make), daemon=True)
        resource_tracker.ensure_running()  # would lift the block below when it is started there
        with far, _no_interrupt():
            self._process.start()

    def alive(self) -> bool:
        return self._process.is_alive()

    def ready(self) -> bool:
        """Wait until it can answer; False where it never will."""
        with suppress(*_GONE):
            return bool(self._line.recv())
        return False

    def ask(self, question: Any, report: Report) -> Any:
        trouble: BaseException | None = None
        try:
            self._line.send(question)
            while True:
                kind, said = self._line.recv()
                if kind != "stage":
                    break
                try:
                    if trouble is None:
                        report(said)
                except BaseException as error:  # the answer is taken off the line all the same
                    trouble = error
        except _GONE as error:
            raise _Died from error
        if trouble:
            raise trouble
        if kind == "refused":
            raise said
        if kind == "failed":
            _LOG.error("答复时出错：%s", said)
            raise WorkerFailed(said)
        return said

    def end(self) -> None:
        """It only reads, so nothing is lost. May be called from several threads, and again."""
        with self._ending:
            self._process.kill()
            self._process.join()
            if not self._line.closed:
                self._line.close()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl+C goes to all processes of a terminal; one that is started here never hears of it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ---------------------------------------------------------------- in the process


def _serve(line: Connection, make: bytes) -> None:
    """Answer what comes over the line until its other end is closed."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[library] = "1"  # the processes share the cores already; read when numpy is imported, below
    with suppress(*_GONE):
        try:
            answers, idly = pickle.loads(make)()  # noqa: S301  what this program itself has written
        except Exception:
            line.send(False)
            return
        gc.collect()
        gc.freeze()  # what was loaded stays, and need not be looked through again and again
        line.send(True)
        while True:
            while not line.poll() and next(idly, _DONE) is not _DONE:
                pass
            line.send(_answered(answers, line.recv(), lambda stage: line.send(("stage", stage))))


def _end_with_parent() -> None:
    """Whoever started this process may end while it still loads; nobody then needs it."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


_DONE = object()


def _answered(answers: Answers, question: Any, report: Report) -> tuple[str, Any]:
    try:
        return "answer", answers(question, report)
    except ZemingError as error:
        return "refused", error
    except Exception as error:
        return "failed", _place(error)


def _place(error: Exception) -> str:
    """Type and place of a fault. Its words may quote what was asked."""
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    where = f"{os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno}" if at else "?"
    return f"{type(error).__name__} at {where}"
