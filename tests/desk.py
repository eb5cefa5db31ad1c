"""What the processes of the tests answer with. Imports little, as each process imports it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from assistant.adapters.workers import Made
from assistant.errors import KnowledgeError, QuestionError

Report = Callable[[str], None]


def make(folder: Path) -> Made:
    """A desk that does what it is told."""

    def answers(question: str, report: Report) -> str:
        what, _, said = question.partition(" ")
        report("heard")
        if what == "wait":
            time.sleep(float(said))
        elif what == "refuse":
            raise KnowledgeError("写错了。", said, 7)
        elif what == "bug":
            raise ValueError(f"cannot read {said}")
        elif what == "die" and not (folder / said).exists():
            (folder / said).touch()
            os._exit(9)
        elif what == "always-die":
            os.kill(os.getpid(), signal.SIGKILL)
        report("done")
        return f"{what} {os.getpid()}"

    return answers, iter(())


def make_nothing() -> Made:
    raise QuestionError("这里开不了。")
