"""``zeming eval``: scores the product, or recorded answers of any system. ``assistant.cli`` has the ``except``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import QualityError
from assistant.settings import load_settings
from assistant.terminal import as_day, err, out, progress

Files = list[Path] | None


def evaluate(
    folder: Annotated[Path, typer.Option("--out", help="结果写到哪个文件夹")],
    cases: Annotated[Files, typer.Option(help="情况（JSONL），可写多个")] = None,
    quiz: Annotated[Files, typer.Option(help="知识题（JSONL），可写多个")] = None,
    reworded: Annotated[Files, typer.Option(help="同一件事换着说（每行有 group）")] = None,
    contrast: Annotated[Files, typer.Option(help="只差一个关键事实的对比（每行有 pair）")] = None,
    abstain: Annotated[Files, typer.Option(help="该拒答、该追问、该回答的（每行有 expected）")] = None,
    questions: Annotated[Files, typer.Option(help="检索用的问题和依据")] = None,
    stard: Annotated[Files, typer.Option(help="STARD 法条检索的问题")] = None,
    predictions: Annotated[Files, typer.Option(help="不提问，只给这些已有的答复打分")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="与哪一次结果比较；主要指标明显下降时退出码为 1")
    ] = None,
    keep_baseline: Annotated[
        Path | None, typer.Option("--write-baseline", help="把这次的结果存成以后比较用的基线")
    ] = None,
    with_comparators: Annotated[
        bool, typer.Option("--comparators/--no-comparators", help="同时运行简单的对照系统")
    ] = True,
    dialogue: Annotated[bool, typer.Option("--dialogue/--no-dialogue", help="同时模拟追问和回答")] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="每个文件只取前几条")] = None,
    with_model: Annotated[
        bool,
        typer.Option("--model/--no-model", help="设置了大模型的，同样的题用上它再答两遍，比较好坏和花费"),
    ] = True,
    model_limit: Annotated[
        int | None, typer.Option(min=1, help="每个文件均匀取多少条给大模型答；缺省全部")
    ] = None,
    day: Annotated[str | None, typer.Option("--date", help="按哪一天有效的规定，如 2026-03-01")] = None,
) -> None:
    """评测：先记下答复，再打分，写出网页、Markdown 和 JSON 三种报告。"""
    from assistant.evaluation.report import summary_lines, write_report
    from assistant.evaluation.running import Plan, evaluate

    settings = load_settings()
    plan = Plan(
        files={
            "cases": cases or [],
            "quiz": quiz or [],
            "reworded": reworded or [],
            "contrast": contrast or [],
            "abstain": abstain or [],
            "questions": questions or [],
            "stard": stard or [],
        },
        out=folder,
        day=as_day(day, "--date") or date.today(),
        predictions=predictions or [],
        baseline=baseline,
        keep_baseline=keep_baseline,
        comparators=with_comparators,
        dialogue=dialogue,
        limit=limit,
        model=with_model,
        model_limit=model_limit,
    )
    outcome = evaluate(plan, settings, progress)
    for sentence in write_report(outcome, settings.prompts):
        err.print(sentence, markup=False)
    for line in summary_lines(outcome, settings.prompts):
        out.print(line, markup=False)
    err.print(f"结果在 {folder}：report.html、report.md、scores.json、predictions.jsonl。", markup=False)
    if outcome.comparison and outcome.comparison.dropped:
        dropped = summary_lines(outcome, settings.prompts, dropped=True)
        raise QualityError(f"与基线 {outcome.comparison.name} 相比，明显下降：{'；'.join(dropped)}。")
