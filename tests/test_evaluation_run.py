"""Whole runs of the evaluation: the real product on two small sets, the report, the command, the plain systems."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from typer.testing import CliRunner

from assistant.cli import app
from assistant.errors import InputFileError, QualityError
from assistant.evaluation import plots, running
from assistant.evaluation.comparators import Nearness, comparators, compare
from assistant.evaluation.records import Prediction, read_records
from assistant.evaluation.report import summary_lines, write_report
from assistant.evaluation.retrieval import search_provisions
from assistant.evaluation.rows import read_sets
from assistant.evaluation.running import Plan, evaluate
from assistant.law.exemplars import Exemplar
from assistant.model import Scope
from assistant.settings import Settings
from assistant.steps.retrieval import Retriever
from assistant.wiring import Parts

DAY = date(2026, 3, 1)
SCRIPT = "<script>alert(1)</script>"
CASES = [
    {
        "id": "x1",
        "scenario": "我是镇长。水库漫坝前我接到预警没有转移群众，死了两个人，现在县里问责我。",
        "scope": "in",
        "subject": "党的领导干部",
        "clauses": ["问责条例第七条第（九）项"],
        "exemption": [],
        "misuse_signals": [],
        "routes": ["RR01"],
        "received": "2026-03-31",
        "deadline": {"RR01": "2026-04-30"},
        "facts": {
            "subject": "党的领导干部",
            "duty_failure": "yes",
            "consequence": "严重",
            "situation": ["9"],
        },
    },
    {
        "id": "x2",
        "scenario": f"单位出了大事故，死了两个人，影响很坏，县里说要问责。{SCRIPT}会不会轮到他头上？",
        "scope": "out_subject",
        "facts": {"subject": "其他", "consequence": "严重", "duty_failure": "yes"},
    },
]
QUIZ = [
    {
        "id": "q1",
        "question": "对问责决定不服，多久内申诉？",
        "must_mention": ["1个月"],
        "basis": ["问责条例第二十条"],
    }
]


def put(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    file = folder / name
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return file


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("own")
    files = {"cases": [put(folder, "cases.jsonl", CASES)], "quiz": [put(folder, "quiz.jsonl", QUIZ)]}
    return Plan(files=files, out=folder / "out", day=DAY, comparators=False)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def outcome(plan: Plan, settings: Settings, parts: Parts) -> running.Outcome:
    """One run of the product; ``parts`` has its index made ready."""
    patch = pytest.MonkeyPatch()
    patch.setattr(running, "build", lambda *_: parts)
    try:
        return evaluate(plan, settings)
    finally:
        patch.undo()


def test_predictions_are_recorded_for_each_stage(outcome: running.Outcome, plan: Plan) -> None:
    records = [r for r in read_records(plan.out / "predictions.jsonl") if isinstance(r, Prediction)]
    stages = sorted((r.row, r.stage) for r in records if r.set == "cases")
    assert stages == [(row, stage) for row in ("x1", "x2") for stage in ("after", "first", "rules")]
    rules = next(r for r in records if (r.row, r.stage) == ("x1", "rules"))
    assert (rules.answer["scope"], rules.answer["question"]) == ("in", "")
    assert rules.trace["subject"]["status"] == "yes"
    assert rules.answer["routes"][1]["deadline"] == "2026-04-30"
    after = next(r for r in records if (r.row, r.stage) == ("x2", "after"))
    assert 1 <= len(after.asked) <= 3


def test_no_words_of_a_row_are_in_the_scores(outcome: running.Outcome, plan: Plan) -> None:
    written = (plan.out / "scores.json").read_text("utf-8")
    assert "水库" not in written
    loaded = json.loads(written)
    assert {f["stage"] for f in loaded["figures"] if f["part"] == "cases"} == {"first", "after", "rules"}
    assert loaded["memory_mb"]["zeming"] > 0


def test_the_page_is_one_file_and_texts_are_escaped(
    outcome: running.Outcome, plan: Plan, settings: Settings
) -> None:
    assert write_report(outcome, settings.prompts) == []
    page = (plan.out / "report.html").read_text("utf-8")
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    assert page.count("<svg") >= 3
    found: list[tuple[str, str]] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend((name, value or "") for name, value in attrs if name in ("src", "href"))
            assert tag != "script"

    Links().feed(page)
    assert all(value.startswith("#") for _, value in found), found  # nothing is loaded from elsewhere
    marked = (plan.out / "report.md").read_text("utf-8")
    assert SCRIPT not in marked
    assert "结论正确率" in marked
    assert any("只用规则" in line for line in summary_lines(outcome, settings.prompts))


def test_without_matplotlib_the_report_still_comes(
    outcome: running.Outcome, plan: Plan, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "available", lambda: False)
    (sentence,) = write_report(replace(outcome, plan=replace(plan, out=tmp_path)), settings.prompts)
    assert "matplotlib" in sentence
    assert "<svg" not in (tmp_path / "report.html").read_text("utf-8")
    assert "没有安装 matplotlib" in (tmp_path / "report.html").read_text("utf-8")


def test_scoring_again_needs_no_answers_and_gives_the_same(
    outcome: running.Outcome, plan: Plan, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "build", lambda *_: pytest.fail("scoring must not need the product"))
    again = evaluate(
        replace(plan, out=tmp_path, predictions=[plan.out / "predictions.jsonl"], baseline=plan.out), settings
    )
    assert again.scores.figures == outcome.scores.figures
    assert again.comparison is not None
    assert not again.comparison.turned
    with pytest.raises(InputFileError, match="读不了基线"):
        evaluate(replace(plan, out=tmp_path, baseline=tmp_path / "none"), settings)


def test_the_command_fails_where_quality_drops(
    outcome: running.Outcome, plan: Plan, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZEMING_DATA", str(settings.data))
    rows = [{"id": f"r{i}", "scenario": f"情况{i}。", "scope": "in"} for i in range(40)]
    cases = put(tmp_path, "many.jsonl", rows)

    def answers(name: str, scope: str) -> Path:
        made = [{"system": "zeming", "set": "many", "row": r["id"],
                 "answer": {"kind": "scenario", "scope": scope, "answer": ""}} for r in rows]  # fmt: skip
        return put(tmp_path, name, made)

    arguments = ["eval", "--cases", str(cases), "--date", "2026-03-01", "--out"]
    good = [*arguments, str(tmp_path / "good"), "--predictions", str(answers("good.jsonl", "in"))]
    done = CliRunner().invoke(app, [*good, "--write-baseline", str(tmp_path / "base.json")])
    assert done.exit_code == 0, done.output
    assert "结论正确率 1.000" in done.output
    bad = [*arguments, str(tmp_path / "bad"), "--predictions", str(answers("bad.jsonl", "out_subject"))]
    done = CliRunner().invoke(app, [*bad, "--baseline", str(tmp_path / "base.json")])
    assert isinstance(done.exception, QualityError)
    assert "结论正确率（-1.000" in str(done.exception)
    assert (tmp_path / "bad" / "report.html").exists()
    assert CliRunner().invoke(app, [*good, "--baseline", str(tmp_path / "base.json")]).exit_code == 0


def test_questions_to_the_search(parts: Parts, tmp_path: Path) -> None:
    file = put(tmp_path, "q.jsonl", [{"question": "对问责决定不服怎么申诉", "basis": ["问责条例第二十条"]}])
    (gold,) = read_sets({"questions": [file]})
    found = {f.system: f.found for f in search_provisions(parts.advisor, gold, DAY, lambda _: None)}
    assert {"bm25", "dense", "zeming"} <= set(found)
    assert "wenze-2019#20" in found["zeming"][:10]


# ------------------------------------------------------------------ plain systems


class Letters(Embeddings):
    """Counts a few characters: near is what shares them."""

    def embed_query(self, text: str) -> list[float]:
        counts = [text.count(letter) + 0.01 for letter in "水库酒驾申诉"]
        size = sum(c * c for c in counts) ** 0.5
        return [c / size for c in counts]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


def exemplar(id: str, text: str, scope: Scope, item: str, *misuse: str) -> Exemplar:
    return Exemplar(id, text, {"situation": (item,)}, scope, "hand", misuse=misuse)


def test_plain_systems_answer_by_the_nearest_exemplar(parts: Parts, tmp_path: Path) -> None:
    exemplars = [
        exemplar("1", "水库垮了，局长没有报告。", "in", "9", "批示即问责"),
        exemplar("2", "副局长酒驾被查。", "out_direct_violation", "6"),
    ]
    near = Nearness(exemplars, Letters(), tmp_path / "kept", "letters")
    assert list((tmp_path / "kept").glob("exemplars-*.npy"))
    words_only = Retriever((), None)
    rows = [
        {"id": "a", "scenario": "水库的水漫了。", "scope": "in"},
        {"id": "b", "scenario": "他酒驾。", "scope": "in"},
    ]
    (gold,) = read_sets({"cases": [put(tmp_path, "rows.jsonl", rows)]})
    systems = comparators(near, words_only, parts.corpus)
    made = {(p.system, p.row): p.answer for p in compare(systems, [gold], DAY, lambda _: None)}
    for name in ("bm25", "dense", "hybrid"):
        assert made[name, "a"]["scope"] == "in"
        assert made[name, "b"]["scope"] == "out_direct_violation"
        assert [c["id"] for c in made[name, "a"]["clauses"]] == ["wenze-2019#7.1.9"]
        assert made[name, "a"]["misuse_signals"] == ["批示即问责"]
    assert {name for name, _ in made} == {"bm25", "dense", "hybrid", "template"}
