"""``zeming draft``: a letter from a story, on the screen or as a file. ``assistant.cli`` has the ``except``."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import InputFileError
from assistant.settings import load_settings
from assistant.terminal import as_day, err, progress, write_file


def draft(
    story: Annotated[list[str] | None, typer.Argument(help="情况；不写则从标准输入读")] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="文书：appeal 申诉、review 复审、recheck 复核、statement 申辩、explanation 说明"),
    ] = None,
    received: Annotated[str | None, typer.Option(help="收到决定的日期，如 2026-02-10")] = None,
    day: Annotated[str | None, typer.Option("--date", help="文书的日期，也按这一天有效的规定")] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="写到哪个文件（.docx 或 .txt）；不写则显示")
    ] = None,
) -> None:
    """按一件事起草书面申诉、复审复核申请、陈述申辩意见或情况说明；没有讲到的留空格。"""
    if target is not None and target.suffix.lower() not in (".docx", ".txt"):
        raise InputFileError("--out 的文件名要以 .docx 或 .txt 结尾，例如 --out 申诉书.docx。")
    as_of = as_day(day, "--date") or date.today()
    received_on = as_day(received, "--received")
    text = " ".join(story) if story else "" if sys.stdin.isatty() else sys.stdin.read()
    from assistant.adapters.official_docx import to_docx
    from assistant.model import Question
    from assistant.wiring import build

    parts = build(load_settings(), progress=progress)
    advice = parts.advisor.ask(Question(text=text, day=as_of, received=received_on))
    kinds = parts.drafter.kinds(advice, received_on)
    wanted = kind or (kinds[0].id if kinds else "explanation")
    made = parts.drafter.draft(wanted, text, advice, as_of, received_on)
    if target is None:
        typer.echo(made.text)
    else:
        write_file(target, to_docx(made.text) if target.suffix.lower() == ".docx" else made.text.encode())
        err.print(f"《{made.title}》已写入 {target}；{parts.drafter.notation}", markup=False)
    for other in kinds:
        mark = "●" if other.id == wanted else "○"
        err.print(f"{mark} {other.name}（{other.id}）：{other.why}", markup=False)
