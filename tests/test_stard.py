"""The statute-retrieval measurement, on an invented law book with the real parts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from assistant.errors import KnowledgeError
from assistant.settings import Settings
from evals.stard import candidates, figures, read_rows, score

ARTICLES = (
    ("中华人民共和国实验室法", "第一条", "试验员每天记录室内温度，记录保存三年。"),
    ("中华人民共和国实验室法", "第二条", "损坏仪器的，应当在三日内书面报告主任。"),
    ("中华人民共和国实验室法", "第二条", "损坏仪器的，应当在五日内书面报告主任。"),  # an older version
    ("门卫条例", "第一条", "每晚十点关门，钥匙交给门卫。"),
)
ROWS = (
    {"id": 2, "question": "烧杯摔了几天内报告", "articles": {"实验室法第二条": "损坏仪器的……"}},
    {
        "id": 3,
        "question": "窗户没关被偷了谁负责",
        "articles": {"门卫条例第九条之一": "夜间失窃，门窗未关的，由值班人员负责。"},
    },
)


@pytest.fixture
def laws(tmp_path: Path) -> Path:
    file = tmp_path / "laws.db"
    with closing(sqlite3.connect(file)) as base, base:
        base.execute(
            "CREATE TABLE articles (id INTEGER PRIMARY KEY, law_name TEXT, article_no TEXT, article_text TEXT)"
        )
        base.executemany(
            "INSERT INTO articles (law_name, article_no, article_text) VALUES (?, ?, ?)", ARTICLES
        )
    return file


@pytest.fixture
def stard(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")
    return file


def test_candidates_are_the_laws_and_what_they_lack(laws: Path, stard: Path) -> None:
    made = candidates(laws, read_rows(stard))
    assert [entry.provision_id for entry in made] == [
        "实验室法第一条",
        "实验室法第二条",
        "实验室法第二条",
        "门卫条例第一条",
        "门卫条例第九条之一",
    ]
    assert len({entry.key for entry in made}) == len(made)
    assert made[1].text == "《实验室法》第二条 损坏仪器的，应当在三日内书面报告主任。"
    assert made[4].text.startswith("《门卫条例》第九条之一 夜间失窃")


def test_the_products_own_parts_are_scored(
    laws: Path, stard: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZEMING_DATA", str(settings.data))  # where the model file is
    made = score(read_rows(stard), laws, tmp_path / "data")
    assert (made["questions"], made["candidates"], made["entries"]) == (2, 4, 5)
    assert made["embedded_now"] == 5
    for half in ("all", "even", "odd"):
        assert made[half]["hybrid"]["Recall@1"] == 1.0, made  # type: ignore[index]
    again = score(read_rows(stard), laws, tmp_path / "data", limit=1)
    assert (again["questions"], again["embedded_now"], again["all"]) == (1, 0, again["even"])


@pytest.mark.parametrize(
    ("found", "gold", "expected"),
    [
        (["a"], {"a"}, {"Recall@1": 1, "Hit@10": 1, "MRR@10": 1, "nDCG@10": 1}),
        (["x", "a"], {"a", "b"}, {"Recall@1": 0, "Recall@5": 0.5, "MRR@10": 0.5, "nDCG@10": 0.3869}),
        (["x"] * 10 + ["a"], {"a"}, {"Recall@10": 0, "Recall@50": 1, "Hit@10": 0, "MRR@10": 0, "nDCG@10": 0}),
        ([], {"a"}, {"Recall@50": 0, "nDCG@10": 0}),
    ],
)
def test_figures(found: list[str], gold: set[str], expected: dict[str, float]) -> None:
    made = figures([found], [gold])
    assert {name: made[name] for name in expected} == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("line", ['{"id": 1}', "[]", "{", '{"id": 1, "question": "x", "articles": 5}'])
def test_a_broken_line_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(ROWS[0]) + "\n" + line, "utf-8")
    with pytest.raises(KnowledgeError, match="请改正") as caught:
        read_rows(file)
    assert "rows.jsonl" in str(caught.value)
    assert "2" in str(caught.value)
