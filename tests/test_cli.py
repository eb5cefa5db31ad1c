"""The command ``zeming`` as people run it: a real process, its output and its one-sentence errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.wiring import Parts

Run = Callable[..., "subprocess.CompletedProcess[str]"]

KEYS = [
    "id",
    "question",
    "kind",
    "scope",
    "confidence",
    "subject",
    "responsibility",
    "clauses",
    "exemptions",
    "routes",
    "misuse_signals",
    "others",
    "missing_facts",
    "facts",
    "findings",
    "citations",
    "understood",
    "supposed",
    "assisted",
    "answer",
    "elapsed_ms",
]


@pytest.fixture
def zeming(parts: Parts) -> Run:
    """Runs the installed command against the index that the other tests use."""
    command = Path(sys.executable).parent / "zeming"
    environment = {**os.environ, "ZEMING_DATA": str(parts.settings.data)}

    def run(*arguments: str, stdin: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(command), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**environment, **extra},
            timeout=120,
            check=False,
        )

    return run


def test_an_answer_in_the_terminal_shows_clause_and_source(zeming: Run) -> None:
    done = zeming("ask", "对问责决定不服多久内申诉？")
    assert done.returncode == 0, done.stderr
    assert "1个月内" in done.stdout
    assert "《中国共产党问责条例》第二十条" in done.stdout
    assert "要旨：" in done.stdout


def test_json_is_the_contract(zeming: Run) -> None:
    done = zeming("ask", "--json", "我是镇长，值班时水库漫坝死了两个人，会被问责吗？")
    answer = json.loads(done.stdout)
    assert list(answer) == KEYS
    assert answer["kind"] == "scenario"
    assert answer["scope"] in ("in", "needs_more_facts")
    contract = {"n", "id", "label", "kind", "text", "in_force", "source_url"}
    assert contract | {"original", "authority"} == set(answer["citations"][0])
    assert {"step", "status", "reason", "provisions"} == set(answer["findings"][0])


def test_a_question_may_come_from_standard_input(zeming: Run) -> None:
    done = zeming("ask", "--json", stdin="诫勉影响期多长？")
    assert json.loads(done.stdout)["kind"] == "knowledge"


def test_a_talk_goes_on_with_what_is_said_next_until_the_end_of_input(zeming: Run) -> None:
    said = [
        "我是分管安全的副镇长，镇里的采石场长期违规开采，我知道后没有去查，也没有督促整改，"
        "后来塌方死了两个人，造成重大损失。我会被问责吗？",
        "",
        "……",
        "如果当时会议记录写了我反对呢？",
        "说错了，没死人，就擦破点皮",
    ]
    done = zeming("talk", "--date", "2026-03-01", stdin="\n".join(said) + "\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("**来源**") == 3
    for words in ("属于问责范围", "只看到标点符号", "> 假设：", "已按您的改正更新：后果＝轻微。"):
        assert words in done.stdout
    assert "Ctrl+D" in done.stderr


def test_as_of_and_deadline(zeming: Run) -> None:
    text = "我是副镇长，收到了问责决定，通报批评，说我对下面失察，死了一个人。"
    done = zeming("ask", "--json", "--received", "2026-01-31", text)
    routes = json.loads(done.stdout)["routes"]
    assert "2026-02-28" in {r["deadline"] for r in routes}
    before = json.loads(zeming("ask", "--json", "--date", "2018-01-01", text).stdout)
    assert before["scope"] == "needs_more_facts"
    assert all(c["in_force"] for c in before["citations"])


def test_batch_keeps_order_and_ids_and_goes_on_after_a_bad_question(zeming: Run, tmp_path: Path) -> None:
    rows = [
        {"id": "b", "question": "诫勉影响期多长？"},
        {"id": "a", "scenario": "我是镇长，漏报隐患，出了事故死了三个人。"},
        {"id": "c", "question": "   "},
        {"id": 7, "question": "对问责决定不服多久内申诉？"},
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), "utf-8")
    done = zeming("ask", "--batch", str(source), "--out", str(target))
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert [a["id"] for a in answers] == ["b", "a", "c", 7]
    assert answers[2]["answer"].startswith("没有看到内容")
    assert not list(tmp_path.glob("*.partial"))


def test_numbers_are_masked_also_in_rows_that_are_not_answered(zeming: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": "1", "question": "电话13812345678，" + "问" * 20_000}), "utf-8")
    assert zeming("ask", "--batch", str(source), "--out", str(target)).returncode == 0
    written = target.read_text("utf-8")
    assert "超过一次" in written
    assert "13812345678" not in written


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{不是json", "第2行不是完整的 JSON"),
        ('{"id": "x"}', "第2行没有 question 或 scenario"),
        ('["x"]', "第2行没有 question 或 scenario"),
    ],
)
def test_a_bad_row_is_named_by_line_before_anything_is_answered(
    zeming: Run, tmp_path: Path, line: str, words: str
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": "1", "question": "诫勉影响期多长？"}\n' + line, "utf-8")
    done = zeming("ask", "--batch", str(source), "--out", str(tmp_path / "out.jsonl"))
    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ask", ""], "没有看到内容"),
        (["ask", "？！。。，"], "只看到标点符号"),
        (["ask", "问" * 20_000], "超过一次"),
        (["ask", "--date", "去年", "诫勉影响期多长"], "--date 的日期"),
        (["ask", "--batch", "没有这个文件.jsonl", "--out", "x.jsonl"], "读不了文件"),
        (["ask", "--batch", "没有这个文件.jsonl"], "--out"),
        (["kb", "show", "问责条例第一百条"], "问责条例"),
        (["kb", "show", "某某办法第三条"], "某某办法"),
    ],
)
def test_errors_are_one_clear_sentence(zeming: Run, arguments: list[str], words: str) -> None:
    done = zeming(*arguments)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


@pytest.mark.parametrize("arguments", [["nosuch"], ["ask", "--nosuch", "x"], ["kb", "show"]])
def test_a_command_written_wrongly_gets_one_sentence(zeming: Run, arguments: list[str]) -> None:
    done = zeming(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("命令写得不对")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_wrong_setting_is_named(zeming: Run) -> None:
    done = zeming("ask", "诫勉影响期多长", ZEMING_STORE="云端")
    assert done.returncode == 1
    assert "ZEMING_STORE" in done.stderr


@pytest.mark.parametrize(
    "name", ["wenze-2019#7.1.3", "问责条例第七条第三项", "《中国共产党问责条例》第七条第（三）项"]
)
def test_kb_show_by_id_and_by_label(zeming: Run, name: str) -> None:
    done = zeming("kb", "show", name)
    assert done.returncode == 0, done.stderr
    assert "思想建设缺失" in done.stdout
    assert "wenze-2019#7.1.3" in done.stdout


def test_kb_check_passes(zeming: Run) -> None:
    done = zeming("kb", "check")
    assert done.returncode == 0, done.stderr
    assert "知识库检查通过" in done.stdout
