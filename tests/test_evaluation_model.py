"""The evaluation where an office has a language model: the same rows without it, with it for facts, with it for both.

The model is a real HTTP server on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.evaluation import plots, running
from assistant.evaluation.records import Prediction, read_records
from assistant.evaluation.report import summary_lines, write_report
from assistant.evaluation.rows import GoldRow, GoldSet, SetKind
from assistant.evaluation.running import Outcome, Plan, evaluate
from assistant.evaluation.ways import chosen, cost_of
from assistant.settings import Settings
from assistant.wiring import Parts
from tests.model_server import Asked, ModelServer, as_json, model_server, nobody, sentences_in
from tests.test_evaluation_run import put

DAY = date(2026, 3, 1)
TOLD = "局里那笔钱是我点头批出去的，手续后来补的，会上没上过。钱打了水漂，县里亏了三百多万。我是局长。"
QUOTE = "县里亏了三百多万"
CASES = [
    {
        "id": "m1",
        "scenario": TOLD,
        "scope": "in",
        "facts": {"subject": "党的领导干部", "consequence": "严重"},
    },
    {"id": "m2", "scenario": "副局长醉酒驾车被交警查获，该问责还是处分？", "scope": "out_direct_violation"},
]
QUIZ = [{"id": "k1", "question": "对问责决定不服，多久内申诉？", "must_mention": ["1个月"]}]
ABSTAIN = [{"id": "n1", "question": "明天会下雨吗？", "kind": "other_field"}]


def good(asked: Asked) -> str:
    """Facts with a quote where it is there, a term, and the sentences as they were given, smoothed a little."""
    properties = (asked.schema or {}).get("properties", {})
    if "facts" in properties:
        told = [{"name": "consequence", "value": "严重", "quote": QUOTE}] if QUOTE in asked.prompt else []
        return json.dumps({"facts": told}, ensure_ascii=False)
    if "terms" in properties:
        return json.dumps({"terms": ["失职失责"]}, ensure_ascii=False)
    return as_json(line.replace("按照", "按").replace("应当", "应该") for line in sentences_in(asked))


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(good) as running:
        yield running


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("helped")
    files: dict[SetKind, Sequence[Path]] = {
        "cases": [put(folder, "cases.jsonl", CASES)],
        "quiz": [put(folder, "quiz.jsonl", QUIZ)],
        "abstain": [put(folder, "abstain.jsonl", ABSTAIN)],
    }
    return Plan(files=files, out=folder / "plain", day=DAY, comparators=False, dialogue=False)


Evaluate = Callable[[Plan, Settings], Outcome]


@pytest.fixture(scope="module")
def run(parts: Parts) -> Iterator[Evaluate]:
    """The evaluation with the parts that are there already; they are asked for without a model."""

    def built(settings: Settings, *_: object) -> Parts:
        assert not settings.model
        return parts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "build", built)
        patch.setattr(
            plots, "available", lambda: False
        )  # drawing takes longer than all else; nothing is drawn here
        yield evaluate


@pytest.fixture(scope="module")
def plain(run: Evaluate, plan: Plan, settings: Settings) -> Outcome:
    return run(plan, settings)


@pytest.fixture(scope="module")
def helped(run: Evaluate, plan: Plan, settings: Settings, server: ModelServer, plain: Outcome) -> Outcome:
    served = settings.model_copy(update={"model": "试验模型", "model_url": server.url})
    out = plan.out.with_name("helped")
    return run(replace(plan, out=out, keep_baseline=out / "base.json", baseline=plain.plan.out), served)


def answers(outcome: Outcome, system: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The recorded answers of a system but for the time they took."""
    made = [r for r in read_records(outcome.plan.out / "predictions.jsonl") if isinstance(r, Prediction)]
    return {(r.row, r.stage): {**r.answer, "elapsed_ms": 0} for r in made if r.system == system}


def report(outcome: Outcome, settings: Settings) -> tuple[str, str]:
    """The section of both reports."""
    write_report(outcome, settings.prompts)
    page = (outcome.plan.out / "report.html").read_text("utf-8")
    marked = (outcome.plan.out / "report.md").read_text("utf-8")
    return page.partition("用不用大模型</h2>")[2].partition("<h2>")[0], marked.partition("用不用大模型")[2]


# ------------------------------------------------------------------ what is compared


def test_without_is_the_product_as_if_there_were_no_model(plain: Outcome, helped: Outcome) -> None:
    assert answers(helped, "zeming") == answers(plain, "zeming")
    first = {key: answer for key, answer in answers(plain, "zeming").items() if key[1] == "first"}
    assert answers(helped, "zeming+none") == first
    assert helped.comparison is not None
    assert not helped.comparison.turned
    assert set(helped.scores.tables) == set(plain.scores.tables)
    kept = json.loads((helped.plan.out / "base.json").read_text("utf-8"))
    assert {table["system"] for table in kept["tables"]} == {"zeming"}
    written = json.loads((helped.plan.out / "scores.json").read_text("utf-8"))
    assert {table["system"] for table in written["tables"]} == {"zeming"}
    assert {figure["system"] for figure in written["figures"]} == {"zeming"}
    assert [way["system"] for way in written["model"]["ways"]] == [
        "zeming+none",
        "zeming+facts",
        "zeming+both",
    ]
    assert QUOTE not in json.dumps(written, ensure_ascii=False)  # no words of a row


def test_each_way_is_recorded_with_what_it_cost(helped: Outcome, server: ModelServer) -> None:
    facts, both = answers(helped, "zeming+facts"), answers(helped, "zeming+both")
    assert set(facts) == set(both) == {(id, "first") for id in ("m1", "m2", "k1", "n1")}
    given = facts["m1", "first"]["assisted"]
    assert given["facts"]["proposed"] == 1
    assert given["facts"]["kept"] == 1
    assert given["tokens"] > 0
    assert given["seconds"] > 0
    assert given["sentences"] == {"written": 0, "kept": 0}
    assert both["m1", "first"]["assisted"]["sentences"]["kept"] > 0
    assert facts["n1", "first"]["assisted"] is None  # declined before anybody is asked
    told = [asked for asked in server.asked if QUOTE in asked.prompt and "facts" in json.dumps(asked.schema)]
    assert len(told) == 4  # for each way once to get warm and once for its answer: no reply is used again


def test_the_section_says_what_it_changed_and_what_it_cost(helped: Outcome, settings: Settings) -> None:
    assert helped.helped is not None
    without, facts, both = helped.helped.ways
    assert without.cost.asked == without.cost.tokens == 0
    assert facts.cost.asked == both.cost.asked == 3
    assert both.cost.tokens > facts.cost.tokens > 0
    assert 0 < facts.cost.waited <= 1
    assert both.cost.ms_median >= both.cost.waited
    page, marked = report(helped, settings)
    for words in (page, marked):
        assert "同样的 4 条，3 种做法各答一遍；大模型：试验模型" in words
        assert "结论正确率" in words
        assert "没有变化" in words
        assert words.index("·情况") < words.index("·知识题")
        assert "1/1（100%）" in words  # facts kept of those proposed
        assert "一条也没有帮上" not in words
    lines = [line for line in summary_lines(helped, settings.prompts) if line.startswith("大模型·")]
    assert [line.partition("：")[0] for line in lines] == [
        "大模型·不用大模型",
        "大模型·只帮着读情况",
        "大模型·读情况又改文字",
    ]
    assert "token 每次中位数" in lines[1]


def test_a_changed_verdict_is_listed(
    run: Evaluate, helped: Outcome, plan: Plan, settings: Settings, tmp_path: Path
) -> None:
    made = []
    for record in read_records(helped.plan.out / "predictions.jsonl"):
        if isinstance(record, Prediction):
            answer = dict(record.answer)
            if (record.system, record.row) == ("zeming+both", "m2"):
                answer["scope"] = "in"
            told = {"system": record.system, "set": record.set, "row": record.row, "stage": record.stage}
            made.append({**told, "answer": answer})
    again = run(replace(plan, out=tmp_path, predictions=[put(tmp_path, "made.jsonl", made)]), settings)
    assert again.helped is not None
    (turn,) = again.helped.ways[2].turns
    assert (turn.row, turn.was, turn.now, turn.is_right) == (
        "cases/m2",
        "out_direct_violation",
        "in",
        False,
    )
    page, marked = report(again, settings)
    assert "改错：cases/m2，应为直接违纪违法，直接违纪违法 → 属于" in marked
    assert "<td>直接违纪违法</td><td>属于</td>" in page
    assert "-0.500" in marked


def test_files_that_do_not_know_of_a_model_can_still_be_read() -> None:
    cost = cost_of([Prediction("zeming+facts", "s", "1", {"kind": "scenario", "answer": ""})])
    assert (cost.answers, cost.asked, cost.tokens, cost.waited) == (1, 0, 0, 0.0)
    cost = cost_of([Prediction("zeming+facts", "s", "1", {"elapsed_ms": 10, "assisted": {"model": "甲"}})])
    assert (cost.asked, cost.helped, cost.nothing) == (1, 0, 1)


# ------------------------------------------------------------------ no model, or none that answers


def test_without_a_model_there_is_no_section(plain: Outcome, settings: Settings) -> None:
    assert plain.helped is None
    assert report(plain, settings) == ("", "")
    assert "model" not in json.loads((plain.plan.out / "scores.json").read_text("utf-8"))
    assert not any("大模型" in line for line in summary_lines(plain, settings.prompts))


def command(plan: Plan, out: Path, *options: str) -> str:
    """What ``zeming eval`` prints for the sets of the plan."""
    told = [word for kind, (file,) in plan.files.items() for word in (f"--{kind}", str(file))]
    more = ["--date", "2026-03-01", "--no-comparators", "--no-dialogue", "--out", str(out), *options]
    done = CliRunner().invoke(app, ["eval", *told, *more])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_server_that_is_down_costs_little_and_is_said(
    run: Evaluate, plan: Plan, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZEMING_DATA", str(settings.data))
    monkeypatch.setenv("ZEMING_MODEL", "试验模型")
    monkeypatch.setenv("ZEMING_MODEL_URL", nobody())
    printed = command(plan, tmp_path, "--model-limit", "1")
    assert "一条也没有帮上：连不上大模型" in printed.replace("\n", "")
    helped = json.loads((tmp_path / "scores.json").read_text("utf-8"))["model"]
    assert helped["rows"] == 3  # one of each set
    for way in helped["ways"][1:]:
        assert way["cost"]["useless"] == way["cost"]["asked"] == 2
        assert way["cost"]["waited"] < 0.5
        assert not way["turns"]
    for name in ("report.html", "report.md"):
        words = (tmp_path / name).read_text("utf-8")
        assert "大模型一条也没有帮上" in words
        assert "连不上大模型" in words


def test_the_model_can_be_left_out(
    run: Evaluate,
    plan: Plan,
    settings: Settings,
    server: ModelServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = len(server.asked)
    monkeypatch.setenv("ZEMING_DATA", str(settings.data))
    monkeypatch.setenv("ZEMING_MODEL", "试验模型")
    monkeypatch.setenv("ZEMING_MODEL_URL", server.url)
    assert "大模型" not in command(plan, tmp_path, "--no-model")
    assert len(server.asked) == asked
    assert "没有配置语言模型" not in (tmp_path / "report.md").read_text("utf-8")  # there is one


# ------------------------------------------------------------------ which rows


def test_rows_are_chosen_evenly_and_pairs_stay_together() -> None:
    rows = tuple(GoldRow(str(n), "", {"pair": str(n // 2)}) for n in range(20))
    cases, contrast = GoldSet("a", "f", "cases", rows), GoldSet("b", "f", "contrast", rows)
    assert [row.id for row in chosen(cases, 4).rows] == ["0", "5", "10", "15"]
    assert [row.id for row in chosen(contrast, 5).rows] == ["0", "1", "10", "11"]
    assert len(chosen(contrast, 1).rows) == 1
    assert chosen(cases, None) is chosen(cases, 20) is cases
