"""The documents inside a ZIP archive, read one by one into memory; nothing is ever unpacked to disk.

Comes in: an open file that begins like an archive. Goes out: a :class:`Source` or a :class:`DocumentError` for
each member worth a word. What an archive says of itself is not believed: members are expanded piece by piece
and counted.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO

from assistant.adapters.readers.names import (
    ARCHIVE_SUFFIXES,
    KNOWN_SUFFIXES,
    is_silent,
    printable,
    skipped,
    suffix_of,
)
from assistant.adapters.readers.values import Limits, Source, megabytes
from assistant.errors import DocumentError

_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_HEADER_BYTES = 400  # of the list of members, for one of them; names are seldom longer than 300 bytes
_PIECE = 2**16
_SMALL = 2**17  # bytes; below it no ratio is suspicious


@dataclass
class _Spent:
    """What an archive and those inside it have cost so far."""

    members: int = 0
    bytes: int = 0


class _TooMuch(Exception):
    """The whole archive has reached a limit."""


def is_archive(file: IO[bytes], suffix: str) -> bool:
    """Whether an open file is to be opened as an archive; leaves it at its beginning."""
    beginning = file.read(4)
    file.seek(0)
    return beginning in _BEGINNINGS and (suffix in ARCHIVE_SUFFIXES or suffix not in KNOWN_SUFFIXES)


def members(file: IO[bytes], name: str, limits: Limits) -> Iterator[Source | DocumentError]:
    """The documents of an archive, and of the archives inside it."""
    try:
        yield from _members(file, name, limits, _Spent(), depth=1)
    except _TooMuch as reached:
        yield DocumentError(str(reached))


def _members(
    file: IO[bytes], name: str, limits: Limits, spent: _Spent, depth: int
) -> Iterator[Source | DocumentError]:
    too_many = f"{name}：压缩包里的文件超过{limits.archive_members}个，没有全部读取；请分成几个再添加。"
    if _listing_bytes(file) > _HEADER_BYTES * limits.archive_members:
        raise _TooMuch(too_many)
    try:
        opened = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, EOFError, NotImplementedError):
        yield DocumentError(f"{name}：压缩包已损坏，打不开；请重新压缩后再添加。")
        return
    with opened:
        infos = [info for info in opened.infolist() if not info.is_dir()]
        spent.members += len(infos)
        if spent.members > limits.archive_members:
            raise _TooMuch(too_many)
        if depth == 1 and any(info.filename == "word/document.xml" for info in infos):
            file.seek(0)  # a DOCX is an archive too
            yield Source(name, file.read(limits.file_bytes + 1))
            return
        found = False
        unknown: list[str] = []
        encrypted: list[str] = []
        for info in sorted(infos, key=lambda info: info.filename):
            path = _path(info)
            if any(is_silent(part) for part in path.split("/") if part not in ("", "..", ".")):
                continue
            member = f"{name}/{printable(path)}"
            if _escapes(path):
                yield DocumentError(f"{name}：成员“{printable(path)}”的路径指向压缩包以外，没有读取。")
            elif suffix_of(path) not in KNOWN_SUFFIXES:
                unknown.append(path)
            elif info.flag_bits & _ENCRYPTED:
                encrypted.append(path)
            else:
                found = True
                yield from _member(opened, info, member, limits, spent, depth)
        if encrypted:
            yield DocumentError(
                f"{name}：压缩包里有{len(encrypted)}个文件加了密码，没有读取；请解压后再添加。"
            )
        if unknown:
            yield skipped(name, unknown)
        if not (found or encrypted or unknown or any(_escapes(_path(info)) for info in infos)):
            yield DocumentError(f"{name}：压缩包里没有可以读取的文件。")


def _member(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, limits: Limits, spent: _Spent, depth: int
) -> Iterator[Source | DocumentError]:
    inner = suffix_of(name) in ARCHIVE_SUFFIXES
    if inner and depth >= limits.nesting:
        yield DocumentError(f"{name}：压缩包套了超过{limits.nesting}层，里面的没有读取；请解压后再添加。")
        return
    try:
        content = _expanded(opened, info, name, limits, spent)
    except DocumentError as error:
        yield error
        return
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        yield DocumentError(f"{name}：压缩包里的这个文件已损坏或压缩方式不支持，没有读取。")
        return
    if inner and is_archive(io.BytesIO(content[:4]), suffix_of(name)):
        yield from _members(io.BytesIO(content), name, limits, spent, depth + 1)
    else:
        yield Source(name, content, _modified(info))


def _expanded(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, limits: Limits, spent: _Spent
) -> bytes:
    """The bytes of a member.

    Raises:
        DocumentError: it is larger than a document may be.
        _TooMuch: the archive is, or it is packed as no document is.
    """
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError  # the dictionaries of others may ask for gigabytes
    content = io.BytesIO()
    with opened.open(info) as packed:
        while piece := packed.read(_PIECE):
            spent.bytes += len(piece)
            content.write(piece)
            size = content.tell()
            if size > max(_SMALL, limits.archive_ratio * info.compress_size):
                raise _TooMuch(
                    f"{name}：压缩得异常紧（超过{limits.archive_ratio}倍），疑似压缩炸弹，这个压缩包从这里起没有读取。"
                )
            if size > limits.file_bytes:
                raise DocumentError(
                    f"{name}：展开后超过 {megabytes(limits.file_bytes)} 的上限，没有读取；请拆开后再添加。"
                )
            if spent.bytes > limits.archive_bytes:
                raise _TooMuch(
                    f"{name}：压缩包展开后合计超过 {megabytes(limits.archive_bytes)}，从这个文件起没有读取；"
                    "请分成几个再添加。"
                )
    return content.getvalue()


def _path(info: zipfile.ZipInfo) -> str:
    """The name of a member: where it does not say that it is UTF-8, it is, or it is GBK."""
    written = info.orig_filename.split("\0")[0]
    if not info.flag_bits & _UTF8_NAME:
        try:
            raw = written.encode("cp437")
        except UnicodeEncodeError:
            raw = b""
        for encoding in ("utf-8", "gb18030") if raw else ():
            try:
                written = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return written.replace("\\", "/")


def _escapes(path: str) -> bool:
    """
    >>> [_escapes(path) for path in ("甲/乙.txt", "甲/../../乙.txt", "/etc/乙.txt", "C:/乙.txt", "甲..txt")]
    [False, True, True, True, False]
    """
    return path.startswith("/") or bool(re.match("[A-Za-z]:", path)) or ".." in path.split("/")


def _modified(info: zipfile.ZipInfo) -> date | None:
    try:
        return date(*info.date_time[:3])
    except ValueError:
        return None


def _listing_bytes(file: IO[bytes]) -> int:
    """How long an archive says the list of its members is; all of it is loaded when it is opened.

    Python follows the 64-bit record wherever there is one, so the longer of both counts.
    """
    file.seek(0, io.SEEK_END)
    length = file.tell()
    start = max(0, length - 22 - 2**16)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    said = 0
    if 0 <= end <= len(tail) - 22:
        said = int(struct.unpack_from("<L", tail, end + 12)[0])
        said = 0 if said == 0xFFFFFFFF else said
        if tail[end - 20 : end - 16] == b"PK\x06\x07":
            file.seek(max(0, start + end - 20 - 56))
            record = file.read(56)
            if record.startswith(b"PK\x06\x06"):
                said = max(said, int(struct.unpack_from("<Q", record, 40)[0]))
    file.seek(0)
    return min(said, length)
