"""A conversation or a draft as a file to take along.

Comes in: a thread, or the text of a draft as it was edited. Goes out: a file's name, its kind and its bytes. Nothing is
written on this machine.
"""

from __future__ import annotations

import io
import json
import re
from datetime import datetime

from assistant.adapters.official_docx import to_docx
from assistant.errors import QuestionError
from assistant.prompts import escape_markdown
from assistant.rendering import to_contract
from assistant.web.thread import Thread

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|.]+')
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKED = re.compile(r"\*\*|\\([\\`*_\[\]#|~!])")
_LONGEST_TITLE = 255  # of what a document says of itself
_KINDS = {"digest": "要旨", "verbatim": "原文"}
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def draft_file(text: str) -> bytes:
    """The draft as a document, laid out as official papers are.

    Raises:
        DraftError: there is nothing in it.
    """
    return to_docx(text)


def file_name(text: str, fallback: str = "材料") -> str:
    """A file's name out of the first line of a text.

    >>> file_name("※只给您看\\n关于不服/问责决定的申诉书\\n正文"), file_name("\\n")
    ('关于不服 问责决定的申诉书', '材料')
    """
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("※")), "")
    return " ".join(_NOT_IN_NAMES.sub(" ", first).split())[:40] or fallback


def conversation_file(thread: Thread, title: str, format: str, now: datetime) -> tuple[str, str, bytes]:
    """A conversation as ``md``, ``docx`` or ``json``: name, kind, bytes.

    Raises:
        QuestionError: nothing was said yet, or another format.
    """
    if not thread.turns:
        raise QuestionError("这段对话还没有内容。")
    name = file_name(title, "对话")
    when = now.astimezone().strftime("%Y-%m-%d %H:%M")
    if format == "md":
        return f"{name}.md", "text/markdown;charset=utf-8", _markdown(thread, title, when).encode()
    if format == "docx":
        return f"{name}.docx", DOCX, _document(thread, title, when)
    if format == "json":
        turns = [
            {"said": t.said, "error": t.error, "advice": t.advice and to_contract(t.advice)}
            for t in thread.turns
        ]
        whole = {"title": title, "exported": now.isoformat(), "turns": turns}
        return f"{name}.json", "application/json", json.dumps(whole, ensure_ascii=False, indent=1).encode()
    raise QuestionError("只能导出为 Markdown、Word 或者 JSON。")


def _markdown(thread: Thread, title: str, when: str) -> str:
    parts = [f"# {_one_line(title) or '对话'}", f"责明问责咨询，导出于 {when}。供参考，不是正式文书。"]
    for number, turn in enumerate(thread.turns, 1):
        parts.append(f"## {number}. 您说")
        parts.append("\n".join(f"> {escape_markdown(line)}" for line in turn.said.splitlines()))
        parts.append("### 答复")
        parts.append(turn.advice.answer if turn.advice else turn.error)
        for c in turn.advice.citations if turn.advice else ():
            parts.append(f"[{c.n}] {_one_line(c.label)}（{_KINDS[c.kind]}）：{_one_line(c.text)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _one_line(text: str) -> str:
    return escape_markdown(" ".join(text.split()))


def _document(thread: Thread, title: str, when: str) -> bytes:
    from docx import Document

    document = Document()
    document.core_properties.author = ""
    document.core_properties.title = _clean(title)[:_LONGEST_TITLE]
    document.add_heading(_clean(title) or "对话", 1)
    document.add_paragraph(f"责明问责咨询，导出于 {when}。供参考，不是正式文书。")
    for number, turn in enumerate(thread.turns, 1):
        document.add_heading(f"{number}. 您说", 2)
        document.add_paragraph(_clean(turn.said))
        document.add_heading("答复", 3)
        for line in (turn.advice.answer if turn.advice else turn.error).split("\n"):
            words = _unmarked(line)
            if words.strip():
                nested = line.startswith("  - ")
                style = "List Bullet 2" if nested else "List Bullet" if line.startswith("- ") else None
                document.add_paragraph(
                    _clean(words.strip().removeprefix("- ").removeprefix("> ")), style=style
                )
        for c in turn.advice.citations if turn.advice else ():
            document.add_paragraph(_clean(f"[{c.n}] {c.label}（{_KINDS[c.kind]}）：{c.text}"))
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _unmarked(line: str) -> str:
    words = _MARKED.sub(lambda match: match[1] or "", line)
    for entity, char in _ENTITIES.items():
        words = words.replace(entity, char)
    return words


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("", text)
