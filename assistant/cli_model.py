"""The commands ``zeming model``: the language model of an office, where there is one. ``assistant.cli`` has the
``except``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from assistant.settings import load_settings
from assistant.terminal import err, out

model = typer.Typer(
    help="大模型：检查单位自己的大模型能不能用。没有大模型也能照常答复。", no_args_is_help=True
)

_MARKS = {"good": "✓", "doubtful": "!", "bad": "✗"}
_KEYS = {"setting": "ZEMING_MODEL_KEY", "file": "ZEMING_MODEL_KEY_FILE", "none": "没有设置"}


@model.callback()
def _models() -> None:
    """One command only would otherwise lose its name."""


@model.command("check")
def check(as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False) -> None:
    """检查大模型：连不连得上、多快、会不会按格式输出、是不是中文；哪里不行，该怎么办。"""
    from assistant.adapters.chat_check import examine

    settings = load_settings()
    if settings.model and not as_json:
        err.print("正在检查大模型，最多要几分钟……", markup=False)
    report = examine(settings)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    elif not report.configured:
        out.print(
            "没有设置大模型，答复照常，不需要它。要用的话，请设置 ZEMING_MODEL（名称）和 ZEMING_MODEL_URL（地址）。",
            markup=False,
        )
    else:
        out.print(f"大模型：{report.model}，地址：{report.url}，密钥：{_KEYS[report.key]}", markup=False)
        for step in report.steps:
            out.print(f"{_MARKS[step.state]} {step.what}{step.advice}", markup=False)
        good = all(step.state == "good" for step in report.steps)
        out.print(
            "可以用。"
            if good
            else "能用，请看上面带 ! 的几行。"
            if report.usable
            else "现在不能用；答复照常，只是不用大模型。",
            markup=False,
        )
    if report.configured and not report.usable:
        raise typer.Exit(1)
