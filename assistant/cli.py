"""The command line: reads input, shows output, one ``except``.

``zeming ask`` answers, ``zeming talk`` goes on with what is said next, ``zeming chat`` opens the web page,
``zeming draft`` writes an appeal or a statement, ``zeming replay`` makes an answer again from its receipt,
``zeming kb`` looks after the knowledge base, ``zeming account`` after accounts, ``zeming model`` tries the language
model of an office, ``zeming index`` prepares the search index, ``zeming eval`` measures.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli_account import account
from assistant.cli_draft import draft
from assistant.cli_eval import evaluate
from assistant.cli_kb import kb
from assistant.cli_model import model
from assistant.cli_replay import keep_receipt, replay
from assistant.errors import InputFileError, QuestionError, ZemingError
from assistant.privacy import mask_private
from assistant.settings import load_settings
from assistant.terminal import as_day, err, json_lines, out, progress

if TYPE_CHECKING:
    from assistant.model import Advice

app = typer.Typer(
    help="责明：问责咨询助手。讲一件事，问是不是属于问责、适用哪一条、怎么申诉；或者问规定。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(kb, name="kb")
app.add_typer(account, name="account")
app.add_typer(model, name="model")
app.command("draft")(draft)
app.command("eval")(evaluate)
app.command("replay")(replay)

_INTERRUPTED, _STOPPED = 130, "已停止。"
# what typer raises for a command that is written wrongly; it names only this heir of it in public
_MISUSE: Any = typer.BadParameter.__mro__[1]


# options of several commands
Day = Annotated[str | None, typer.Option("--date", help="按哪一天有效的规定判断，如 2026-03-01")]
Received = Annotated[str | None, typer.Option(help="收到决定的日期，用来算期限")]
Happened = Annotated[str | None, typer.Option(help="事情发生的时间，如 2018、2018-05、2018-05-03")]


@app.command()
def ask(
    question: Annotated[list[str] | None, typer.Argument(help="情况或问题；不写则从标准输入读")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")] = False,
    batch: Annotated[Path | None, typer.Option(help="逐行 JSON 的提问文件（JSONL）")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="批量答复写到哪个文件")] = None,
    day: Day = None,
    received: Received = None,
    happened: Happened = None,
    receipt: Annotated[
        Path | None, typer.Option(help="另写一份答复凭据，以后可用 zeming replay 重做")
    ] = None,
    without_words: Annotated[
        bool, typer.Option("--without-words", help="凭据里不写原话和答复，只留摘要")
    ] = False,
) -> None:
    """回答一个问题，或者用 --batch 批量回答。"""
    as_of = as_day(day, "--date") or date.today()
    received_on = as_day(received, "--received")
    conduct = _days(happened)
    if without_words and receipt is None:
        raise InputFileError("--without-words 要和 --receipt 一起用，例如 --receipt 凭据.json。")
    if batch is not None:
        if receipt is not None:
            raise InputFileError("--receipt 一次只给一个答复写凭据，不能和 --batch 一起用。")
        if out_file is None:
            raise InputFileError("批量回答要用 --out 写明结果文件，例如 --out 答复.jsonl。")
        _ask_batch(batch, out_file, as_of, received_on, conduct)
        return
    text = " ".join(question) if question else "" if sys.stdin.isatty() else sys.stdin.read()
    from assistant import start
    from assistant.model import Question
    from assistant.rendering import to_contract
    from assistant.wiring import build

    try:
        parts = build(load_settings(), progress=progress, ahead=start.ahead)
        advice = parts.advisor.ask(Question(text=text, day=as_of, received=received_on, conduct=conduct))
    finally:
        if start.ahead:
            start.ahead.close()
    if as_json:
        typer.echo(json.dumps(to_contract(advice), ensure_ascii=False, indent=2))
    else:
        _show(advice)
    if receipt is not None:
        keep_receipt(advice, parts, receipt, without_words)


def _show(advice: Advice) -> None:
    """The answer, then the words of each source."""
    if out.is_terminal:
        from rich.markdown import Markdown

        out.print(Markdown(advice.answer))
    else:
        typer.echo(advice.answer)
    for c in advice.citations:
        kind = "原文" if c.kind == "verbatim" else "要旨"
        doubt = "（待核）" if c.confidence == "memory" else ""
        out.print(f"\n[{c.n}] {c.label}{doubt}", markup=False, style="bold")
        out.print(f"{kind}：{c.text}", markup=False)
        if c.source_url:
            out.print(c.source_url, markup=False, style="dim")


def _days(happened: str | None) -> tuple[date, date] | None:
    from assistant.law.days import read_days

    if happened is None:
        return None
    days = read_days(happened)
    if days is None:
        raise InputFileError(f"--happened 的时间“{happened}”读不懂，请写成 2018、2018-05 或 2018-05-03。")
    return days.first, days.last


def _ask_batch(
    source: Path, target: Path, day: date, received: date | None, conduct: tuple[date, date] | None
) -> None:
    """Answer every row of a file, in order; a row that cannot be answered gets its sentence as the answer."""
    from rich.progress import track

    from assistant.model import Question
    from assistant.rendering import refusal, to_contract
    from assistant.wiring import build

    rows = list(_rows(source))
    advisor = build(load_settings(), progress=progress).advisor
    gc.enable()
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            for row in track(rows, description="正在回答", console=err, disable=not err.is_terminal):
                text = row["text"]
                try:
                    question = Question(text, day, id=row["id"], received=received, conduct=conduct)
                    answered: dict[str, Any] = to_contract(advisor.ask(question))
                except QuestionError as error:
                    answered = refusal(row["id"], mask_private(text)[0], str(error))
                file.write(json.dumps(answered, ensure_ascii=False) + "\n")
        os.replace(partial, target)
    except OSError as error:
        raise InputFileError(f"写不了结果文件 {target}（{error.strerror}），请换一个能写的位置。") from error
    err.print(f"共回答 {len(rows)} 条，已写入 {target}。", markup=False)


def _rows(source: Path) -> Iterator[dict[str, Any]]:
    """Rows of a batch file: id and text. Bad rows are named by line before anything is answered."""
    for number, row in json_lines(source):
        text = row.get("question", row.get("scenario")) if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise InputFileError(f"{source.name} 第{number}行没有 question 或 scenario 字段，请补上。")
        yield {"id": row.get("id"), "text": text}


@app.command()
def talk(
    day: Day = None,
    received: Received = None,
    happened: Happened = None,
) -> None:
    """在终端里一句一句地谈：可以回答追问、改正、问“如果……呢”；按 Ctrl+D 结束，什么也不保存。"""
    as_of = as_day(day, "--date") or date.today()
    received_on = as_day(received, "--received")
    conduct = _days(happened)
    from assistant.conversation import Conversation, make_listener
    from assistant.wiring import build

    settings = load_settings()
    advisor = build(settings, progress=progress).advisor
    gc.enable()
    conversation = Conversation(advisor, make_listener(settings))
    err.print("请说情况或者问规定，一次一行；按 Ctrl+D 结束。", markup=False)
    while (said := _next_line()) is not None:
        if not said.strip():
            continue
        try:
            advice = conversation.say(said, as_of, received_on, conduct)
        except QuestionError as error:
            typer.echo(str(error))
            continue
        typer.echo(f"\n{advice.answer.strip()}\n")


def _next_line() -> str | None:
    """What is typed next; None at the end."""
    try:
        return input("您：" if sys.stdin.isatty() else "")
    except EOFError:
        return None


@app.command()
def chat() -> None:
    """打开网页对话。"""
    from assistant.web.server import serve

    gc.enable()
    serve(load_settings(), progress=progress)


@app.command()
def index() -> None:
    """准备检索索引（第一次约需一两分钟，以后只更新改动的部分）。"""
    from assistant.wiring import build

    build(load_settings(), progress=progress)
    err.print("索引已就绪。", markup=False)


def main() -> None:
    """The command line; ``assistant.start`` calls it."""
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    gc.disable()  # nothing loaded at start is ever freed; looking through it takes a tenth of the time
    try:
        code = app(standalone_mode=False) or 0
        if code == _INTERRUPTED:  # typer turns Ctrl+C into this code
            err.print(_STOPPED, markup=False)
        sys.exit(code)
    except _MISUSE as error:
        said = str(error).rstrip(".")
        if said:  # nothing is said where the help was shown instead
            err.print(f"命令写得不对（{said}），请用 zeming --help 查看写法。", markup=False)
        sys.exit(2)
    except ZemingError as error:
        err.print(str(error), markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print(_STOPPED, markup=False)
        sys.exit(_INTERRUPTED)
    except Exception as error:  # a fault of the program; case details must not reach the screen or a log
        if os.environ.get("ZEMING_DEBUG"):
            raise
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
        err.print(
            f"程序出错（{type(error).__name__} {where}），您的内容没有丢失；请重试，仍不行请把这一行告诉维护人员。",
            markup=False,
        )
        sys.exit(70)


if __name__ == "__main__":
    main()
