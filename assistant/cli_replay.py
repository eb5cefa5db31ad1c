"""``zeming replay``: an answer made again from its receipt. The exit code says how it came out.

0 the same, 1 otherwise, 2 it could not be made again. That is why what ``assistant.cli`` would end with 1 is caught
here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.errors import InputFileError, ZemingError
from assistant.settings import Settings, load_settings
from assistant.terminal import err, progress, write_file

if TYPE_CHECKING:
    from assistant.model import Advice
    from assistant.wiring import Parts

DIFFERENT, UNREADABLE = 1, 2


def replay(
    file: Annotated[Path, typer.Argument(help="答复凭据（zeming ask --receipt 或者网页导出的）")],
    words: Annotated[Path | None, typer.Option(help="写着当时原话的文本文件，用于没有原话的凭据")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """按答复凭据重新做一遍，说明一样不一样、哪里不一样、什么变了。

    退出码：0 一样，1 不一样，2 凭据不能用。
    """
    from assistant.receipts import read_receipt

    try:
        old = read_receipt(_text(file))
        told = None if words is None else _text(words)
        from assistant.holdings import library_of
        from assistant.prompts import Prompts
        from assistant.replaying import Replayer
        from assistant.wiring import build

        settings = _without_model(load_settings())
        titles = {d.id: d.title for d in library_of(settings).documents()}
        replayer = Replayer(build(settings, progress=progress), Prompts(settings.prompts), titles)
        found = replayer.replay(old, told)
    except ZemingError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(UNREADABLE) from error
    if as_json:
        shown: Mapping[str, Any] = {"same": found.same, "sha256": old.sha256, **asdict(found)}
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        typer.echo(replayer.report(old, found))
    if not found.same:
        raise typer.Exit(DIFFERENT)


def keep_receipt(advice: Advice, parts: Parts, target: Path, without_words: bool) -> None:
    """Write the receipt of an answer that was just given.

    Raises:
        ReceiptError: nothing is to be kept of it.
        InputFileError: it cannot be written there.
    """
    from datetime import datetime

    from assistant.receipts import receipt, written

    made = receipt(advice, parts.corpus, parts.versions, datetime.now().astimezone(), without_words)
    write_file(target, written(made).encode())
    err.print(f"答复凭据已写入 {target}，校验值 {made['sha256'][:16]}。", markup=False)


def _without_model(settings: Settings) -> Settings:
    """A language model is not asked again: it may say something else each time."""
    return settings.model_copy(update={"model": "", "model_url": ""})


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputFileError(f"{file.name} 不是 UTF-8 编码的文本，不能用。") from error
    except OSError as error:
        raise InputFileError(f"读不了文件 {file}（{error.strerror}），请检查路径。") from error
