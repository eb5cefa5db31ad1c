"""The process in which a file is read. It trusts nothing, can do nothing, and is not trusted.

Comes in, over standard input: a length, a request in JSON, a length, the bytes of a file; again and again until the
input ends. Goes out, over standard output: a length and an answer in JSON. Started by
:mod:`assistant.adapters.readers.reading`.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from datetime import date
from typing import IO, Any

from assistant.adapters.readers.values import Limits, Unreadable

try:
    import resource
except ImportError:  # Windows has no such limits; there the parent's watch is the only one
    resource = None  # type: ignore[assignment]

LENGTH = struct.Struct("<Q")
_FORBIDDEN = (
    "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen",
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree",
)  # fmt: skip
_THREADS = 4  # that may compute at once while a page is recognised
_TOO_LARGE = "内容展开后太大，内存不够，没有读取；请拆开或另存后再添加。"
_TOO_DEEP = "内容嵌套得异常深，疑似有问题的文件，没有读取。"
_FAULTY = "文件的内容有错，读不下去；请用原来的程序另存后再添加。"


def serve() -> None:
    """Answer requests until there are no more."""
    incoming, outgoing = _lines()
    _forbid()
    while True:
        head = _taken(incoming)
        if head is None:
            return
        content = _taken(incoming)
        if content is None:
            return
        request = json.loads(head)
        answer = json.dumps(_answer(request, content), ensure_ascii=False, default=_plain).encode(
            "utf-8", "replace"
        )
        outgoing.write(LENGTH.pack(len(answer)) + answer)
        outgoing.flush()


def _lines() -> tuple[IO[bytes], IO[bytes]]:
    """The two lines to the parent; whatever a library prints goes nowhere."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


def _forbid() -> None:
    """No network, no other programs, nothing written, for every library that is used here."""

    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            raise PermissionError(event)
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & writing:
            raise PermissionError(event)

    sys.dont_write_bytecode = True
    sys.addaudithook(watch)


def _limit(limits: Limits, seconds: int) -> None:
    if resource is None:
        return
    used = int(time.process_time()) + 1
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, used + seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        try:
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        except (ValueError, OSError):  # a system may not know a limit, or forbid to change it
            continue


def _answer(request: dict[str, Any], content: bytes) -> dict[str, Any]:
    limits = Limits(**request["limits"])
    try:
        if request["do"] == "recognise":
            from assistant.adapters.readers.ocr import recognise

            _limit(limits, limits.seconds * _THREADS)
            return {"blocks": recognise(content, int(request["page"]))}
        from assistant.adapters.readers.parsing import parse

        _limit(limits, limits.seconds)
        document, scanned = parse(content, str(request["suffix"]), limits)
        return {"document": document, "scanned": scanned}
    except Unreadable as reason:
        return {"failure": str(reason)}
    except MemoryError:
        return {"failure": _TOO_LARGE}
    except RecursionError:
        return {"failure": _TOO_DEEP}
    except Exception as error:  # a file that breaks a library must not look like a fault of the person
        return {"failure": _TOO_LARGE if _ran_out(error) else _FAULTY, "fault": type(error).__name__}


def _ran_out(error: BaseException | None) -> bool:
    """Whether memory ran out somewhere below; libraries wrap that in errors of their own."""
    while error is not None:
        if isinstance(error, MemoryError) or "bad_alloc" in str(error) or "allocate" in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else vars(value)


def _taken(incoming: IO[bytes]) -> bytes | None:
    length = incoming.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    wanted = LENGTH.unpack(length)[0]
    taken = incoming.read(wanted)
    return taken if len(taken) == wanted else None
