"""A file to a document, read in a process of its own that is given little and trusted with nothing.

Comes in: a :class:`Source`. Goes out: a :class:`RawDocument`, checked like anything from outside, or one sentence.
A process costs a quarter of a second and lives for one file, so that no file can touch what is read after it. It is
started like any other program, never forked, and so may be started from any thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any

from assistant.adapters.readers import ocr
from assistant.adapters.readers.child import LENGTH
from assistant.adapters.readers.names import printable
from assistant.adapters.readers.values import Limits, Source, Unreadable, megabytes, numbers_listed
from assistant.errors import DocumentError
from assistant.model import Block, RawDocument

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from assistant.adapters.readers.child import serve; serve()"
)
_KEPT_ENVIRONMENT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "LD_LIBRARY_PATH",
)
_MEMORY_TO_RECOGNISE = 4 * 2**30  # address space; what is used of it is a fifth
_OUT_OF_TIME = -24  # ended by SIGXCPU
_LONGEST_ANSWER = 256 * 2**20
_LONGEST_REASON = 300
_FAILURES_IN_A_ROW = 3


def read(source: Source, limits: Limits) -> RawDocument:
    """What a file says.

    Raises:
        DocumentError: it cannot be read; one sentence that names it.
    """
    try:
        if len(source.content) > limits.file_bytes:
            raise Unreadable(
                f"文件有 {megabytes(len(source.content))}，超过 {megabytes(limits.file_bytes)} 的上限；请拆开后再添加。"
            )
        with _Process(limits) as process:
            answer = process.ask({"do": "read", "suffix": source.suffix}, source.content)
        document = replace(_document(answer), name=source.name)
        scanned = [page for page in answer.get("scanned", ()) if isinstance(page, int) and page > 0]
        return _with_scanned(document, source.content, scanned, limits) if scanned else document
    except Unreadable as reason:
        raise DocumentError(f"{source.name}：{reason}") from None


def _with_scanned(
    document: RawDocument, content: bytes, scanned: Sequence[int], limits: Limits
) -> RawDocument:
    """The document with the words of its pictured pages, as far as they can be recognised.

    Raises:
        Unreadable: there are no other words, and these cannot be.
    """
    where = numbers_listed(scanned)
    if not ocr.is_installed():
        advice = f"要读取请先安装文字识别（{ocr.HOW_TO_INSTALL}）"
        if not document.blocks:
            raise Unreadable(f"是扫描件，第{where}页只有图片，没有文字；{advice}。")
        return replace(
            document, notices=(*document.notices, f"第{where}页只有图片，没有读出文字；{advice}。")
        )
    recognised, failed = _recognised(content, scanned[: limits.scanned_pages], limits)
    left = scanned[limits.scanned_pages :]
    notices = list(document.notices)
    if recognised:
        notices.append(f"第{numbers_listed(sorted(recognised))}页是图片，文字由识别得来，请与原件核对。")
    if failed:
        notices.append(f"第{numbers_listed(failed)}页是图片，没有认出文字。")
    if left:
        notices.append(f"第{numbers_listed(left)}页是图片，超过{limits.scanned_pages}页的上限，没有识别。")
    blocks = list(document.blocks) + [block for page in recognised.values() for block in page]
    if not blocks:
        raise Unreadable(f"是扫描件，第{where}页的图片里没有认出文字；请换更清晰的文件。")
    blocks.sort(key=lambda block: block.page or 0)
    return replace(document, blocks=tuple(blocks), notices=tuple(notices))


def _recognised(
    content: bytes, pages: Sequence[int], limits: Limits
) -> tuple[dict[int, tuple[Block, ...]], list[int]]:
    """The words of each page, and the pages without any. Gives up when several pages one after the other fail."""
    found: dict[int, tuple[Block, ...]] = {}
    failed: list[int] = []
    roomy = replace(limits, memory_bytes=max(limits.memory_bytes, _MEMORY_TO_RECOGNISE))
    in_a_row = 0
    with contextlib.ExitStack() as open_processes:
        process = open_processes.enter_context(_Process(roomy))
        for page in pages:
            if in_a_row >= _FAILURES_IN_A_ROW:
                failed.append(page)
                continue
            try:
                blocks = _blocks(process.ask({"do": "recognise", "page": page}, content))
                in_a_row = 0
            except Unreadable:
                blocks, in_a_row = (), in_a_row + 1
                if process.ended:
                    process = open_processes.enter_context(_Process(roomy))
            if blocks:
                found[page] = blocks
            else:
                failed.append(page)
    return found, failed


class _Process:
    """A process that reads. It is ended with the ``with``, or earlier when it takes too long or too much."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._late = False
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
                [sys.executable, "-c", _START, json.dumps([os.path.abspath(path) for path in sys.path])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**environment, "OMP_NUM_THREADS": "2"},
                cwd=tempfile.gettempdir(),
            )
        except OSError:
            raise Unreadable("读取文件的进程启动不了，可能是内存不够；请稍后再试。") from None

    def __enter__(self) -> _Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        for line in (self._process.stdin, self._process.stdout):
            if line:
                with contextlib.suppress(OSError):
                    line.close()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def ask(self, request: dict[str, Any], content: bytes) -> dict[str, Any]:
        """Its answer.

        Raises:
            Unreadable: it says that it cannot, or it took too long or broke down.
        """
        head = json.dumps({**request, "limits": asdict(self._limits)}).encode()
        watch = threading.Timer(self._limits.seconds, self._expire)
        watch.daemon = True
        watch.start()
        try:
            answer = self._exchange(head, content)
        except (OSError, EOFError, ValueError):
            self._end()
            raise Unreadable(self._why_ended()) from None
        finally:
            watch.cancel()
        failure = answer.get("failure")
        if failure is not None:
            raise Unreadable(printable(str(failure)[:_LONGEST_REASON]))
        return answer

    def _exchange(self, head: bytes, content: bytes) -> dict[str, Any]:
        outgoing, incoming = self._process.stdin, self._process.stdout
        if outgoing is None or incoming is None:
            raise EOFError
        for part in (head, content):
            outgoing.write(LENGTH.pack(len(part)))
            outgoing.write(part)
        outgoing.flush()
        length = incoming.read(LENGTH.size)
        if len(length) < LENGTH.size or LENGTH.unpack(length)[0] > _LONGEST_ANSWER:
            raise EOFError
        wanted = LENGTH.unpack(length)[0]
        answer = incoming.read(wanted)
        if len(answer) < wanted:
            raise EOFError
        decoded = json.loads(answer)
        if not isinstance(decoded, dict):
            raise ValueError
        return decoded

    def _expire(self) -> None:
        self._late = True
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()

    def _why_ended(self) -> str:
        if self._late or self._process.returncode == _OUT_OF_TIME:
            return f"读了{self._limits.seconds}秒还没有读完，已停止；文件可能有问题，请拆开或另存后再添加。"
        return "读取时出错，文件可能已损坏或太大；请另存后再添加。"


def _document(answer: dict[str, Any]) -> RawDocument:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(RawDocument).validate_python(answer.get("document"))
    except ValidationError:
        raise Unreadable("读取时出错，文件可能已损坏；请另存后再添加。") from None


def _blocks(answer: dict[str, Any]) -> tuple[Block, ...]:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(tuple[Block, ...]).validate_python(answer.get("blocks"))
    except ValidationError:
        raise Unreadable("读取时出错，文件可能已损坏；请另存后再添加。") from None
