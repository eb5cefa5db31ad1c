"""The statute-retrieval measurement, on an invented law book with the real parts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from assistant.evaluation.records import Found
from assistant.evaluation.retrieval import bare, candidates, search_statutes, statutes_of
from assistant.evaluation.rows import GoldSet, read_sets
from assistant.settings import Settings

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
def stard(tmp_path: Path) -> GoldSet:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), "utf-8")
    (gold,) = read_sets({"stard": [file]})
    return gold


def test_candidates_are_the_laws_and_what_they_lack(laws: Path, stard: GoldSet) -> None:
    made = candidates(laws, stard.rows)
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
    laws: Path, stard: GoldSet, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZEMING_DATA", str(settings.data))  # where the model file is
    entries = candidates(laws, stard.rows)
    made: list[Found] = []
    for _ in range(2):  # the second time nothing is embedded
        made = list(search_statutes(stard, entries, tmp_path / "data", lambda _: None))
    assert {"bm25", "dense", "zeming"} <= {one.system for one in made}
    ours = {one.row: one.found for one in made if one.system == "zeming"}
    for row in stard.rows:
        assert ours[row.id][0] in statutes_of(row)
    assert bare("中华人民共和国实验室法第一条") == "实验室法第一条"
