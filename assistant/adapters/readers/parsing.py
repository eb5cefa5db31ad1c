"""One file to one document, by the reader of its format. Runs only in the process made for it.

Comes in: bytes and the suffix of the name. Goes out: a :class:`RawDocument` without a name, and the pages of it that
are pictures.
"""

from __future__ import annotations

from dataclasses import replace

from assistant.adapters.readers.charset import decode
from assistant.adapters.readers.formats import format_of
from assistant.adapters.readers.names import HTML_SUFFIXES, MARKDOWN_SUFFIXES, TEXT_SUFFIXES, WORD_SUFFIXES
from assistant.adapters.readers.plain import blocks_of
from assistant.adapters.readers.values import Limits, Unreadable
from assistant.model import RawDocument

_SUFFIXES = {
    "pdf": frozenset({".pdf"}),
    "docx": WORD_SUFFIXES,
    "html": HTML_SUFFIXES,
    "markdown": MARKDOWN_SUFFIXES,
    "text": TEXT_SUFFIXES,
}
_NAMES = {"pdf": "PDF", "docx": "DOCX", "html": "网页", "markdown": "Markdown", "text": "纯文本"}


def parse(content: bytes, suffix: str, limits: Limits) -> tuple[RawDocument, tuple[int, ...]]:
    """What a file says, and which of its pages have to be recognised.

    Raises:
        Unreadable: nothing can be read from it.
    """
    kind = format_of(content, suffix)
    scanned: tuple[int, ...] = ()
    match kind:  # imports are late: a process reads one format and should start quickly
        case "pdf":
            from assistant.adapters.readers.pdf import read_pdf

            document, scanned = read_pdf(content, limits)
        case "docx":
            from assistant.adapters.readers.word import read_docx

            document = read_docx(content, limits)
        case "html":
            from assistant.adapters.readers.hypertext import read_html

            document = read_html(content)
        case _:
            document = _text(content, markdown=kind == "markdown")
    if not document.blocks and not scanned:
        raise Unreadable("里面没有可以读取的文字。")
    if (
        len(document.blocks) > limits.blocks
        or sum(len(block.text) for block in document.blocks) > limits.characters
    ):
        raise Unreadable(
            f"文字太多（超过{limits.characters // 10_000}万字或{limits.blocks // 10_000}万段）；请拆开后再添加。"
        )
    if suffix and suffix not in _SUFFIXES[kind]:
        notice = f"扩展名是 {suffix}，内容其实是{_NAMES[kind]}，已按{_NAMES[kind]}读取。"
        document = replace(document, notices=(notice, *document.notices))
    return document, scanned


def _text(content: bytes, markdown: bool) -> RawDocument:
    text, bad = decode(content)
    notices = (f"有{bad}个字符认不出，显示为“\ufffd”。",) if bad else ()
    if markdown:
        from assistant.adapters.readers.markdown import read_markdown

        return replace(read_markdown(text), notices=notices)
    return RawDocument("", "text", tuple(blocks_of(text)), notices=notices)
