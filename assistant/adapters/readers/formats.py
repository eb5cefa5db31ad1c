"""What a file is, decided by its content; its suffix only tells kinds of text apart.

Goes out: one of the formats that are read, or :class:`Unreadable` with what the person can do instead.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Literal

from assistant.adapters.readers.charset import looks_binary
from assistant.adapters.readers.names import HTML_SUFFIXES, MARKDOWN_SUFFIXES, WORD_SUFFIXES
from assistant.adapters.readers.values import Unreadable

Format = Literal["pdf", "docx", "html", "markdown", "text"]

_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"MZ", "是可执行程序，不是文档，没有读取。"),
    (b"\x7fELF", "是可执行程序，不是文档，没有读取。"),
    (b"{\\rtf", "是 RTF 文档；请用 Word 或 WPS 另存为 DOCX 后再添加。"),
    (b"\x89PNG", "是图片，不是文档；请先做成 PDF 再添加。"),
    (b"\xff\xd8\xff", "是图片，不是文档；请先做成 PDF 再添加。"),
    (b"GIF8", "是图片，不是文档；请先做成 PDF 再添加。"),
    (b"II*\0", "是图片，不是文档；请先做成 PDF 再添加。"),
    (b"MM\0*", "是图片，不是文档；请先做成 PDF 再添加。"),
    (b"Rar!", "是 RAR 压缩包；请解压，或改用 ZIP 后再添加。"),
    (b"7z\xbc\xaf", "是 7z 压缩包；请解压，或改用 ZIP 后再添加。"),
    (b"\x1f\x8b", "是 GZ 压缩包；请解压，或改用 ZIP 后再添加。"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED_WORD = "EncryptedPackage".encode("utf-16-le")
_NOT_TEXT = "不是可以读取的文档（支持 PDF、DOCX、HTML、Markdown、TXT），没有读取。"
# from the beginning of a text: a byte order mark, declarations and comments, then the first tag of a page
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*|<!--(?:(?!-->).)*-->\s*){0,9}<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_ARCHIVE = re.compile(rb"(?i)\s*(?:from|mime-version|content-type):[^\n]*\n")


def format_of(content: bytes, suffix: str) -> Format:
    """Which reader a file is for.

    Raises:
        Unreadable: none is, or the file is damaged or locked.
    """
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise Unreadable("文件是空的，没有内容可读。")
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        return _package(content, suffix)
    if content.startswith(_OLE):
        if _LOCKED_WORD in content:
            raise Unreadable("加了密码，打不开；请取消密码后再添加。")
        raise Unreadable("是旧版 Word 或 WPS 文档；请另存为 DOCX 后再添加。")
    for beginning, advice in _OTHERS:
        if content.startswith(beginning) and not (beginning == b"MZ" and not looks_binary(content)):
            raise Unreadable(advice)
    if looks_binary(content):
        raise Unreadable("PDF 已损坏，打不开；请重新下载或导出。" if suffix == ".pdf" else _NOT_TEXT)
    start = content[:4096].removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").lstrip(b"\xff\xfe")
    if _PAGE.match(start) or suffix in HTML_SUFFIXES:
        return "html"
    if _ARCHIVE.match(start) and b"multipart/related" in content[:4096].lower():
        raise Unreadable("是网页存档（MHT）；请另存为 HTML 或 DOCX 后再添加。")
    if suffix == ".pdf" or suffix in WORD_SUFFIXES:
        raise Unreadable(f"扩展名是 {suffix}，内容却是纯文字；请确认文件下载完整，或改用正确的扩展名。")
    return "markdown" if suffix in MARKDOWN_SUFFIXES else "text"


def _package(content: bytes, suffix: str) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = set(package.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        kind = "DOCX 文件" if suffix in WORD_SUFFIXES else "文件"
        raise Unreadable(f"{kind}不完整或已损坏，打不开；请重新下载或另存。") from None
    if "word/document.xml" in names or (suffix in WORD_SUFFIXES and "[Content_Types].xml" in names):
        return "docx"
    if any(name.startswith("xl/") for name in names):
        raise Unreadable("是 Excel 表格；请另存为 PDF 后再添加。")
    if any(name.startswith("ppt/") for name in names):
        raise Unreadable("是 PowerPoint 演示文稿；请另存为 PDF 后再添加。")
    if "OFD.xml" in names:
        raise Unreadable("是 OFD 版式文件；请另存为 PDF 后再添加。")
    if "content.xml" in names and "mimetype" in names:
        raise Unreadable("是 ODT 文档；请另存为 DOCX 后再添加。")
    if suffix in WORD_SUFFIXES:
        raise Unreadable("里面没有 Word 正文，不是有效的 DOCX 文件；请重新另存。")
    raise Unreadable("内容是压缩包，与扩展名不符；请把扩展名改为 .zip 后再添加。")
