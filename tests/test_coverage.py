"""The coverage report: what it counts, what it leaves out, and that nothing is not zero."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from assistant.law.corpus import Corpus, load_corpus, with_documents
from assistant.law.coverage import coverage, lines, plain
from assistant.model import Instrument, Provision, Shelf

TODAY = date(2026, 11, 22)
HEAD = """instrument:
  id: {id}
  title: 试验{id}条例
  short_titles: [试验{id}]
  issuer: 某机关
  kind: 党内法规
  rank: 2
{more}
provisions:{provisions}
"""
PROVISION = """
  - id: "{id}"
    topic: 试验
    digest: 试验的要旨。
    confidence: {confidence}"""


def stock(folder: Path, **instruments: tuple[str, list[tuple[str, str]]]) -> Corpus:
    """A corpus of invented instruments: name -> (more keys of the head, (provision, confidence)s)."""
    (folder / "instruments").mkdir()
    for id, (more, provisions) in instruments.items():
        rows = "".join(PROVISION.format(id=p, confidence=c) for p, c in provisions) or " []"
        text = HEAD.format(id=id, more="".join(f"  {line}\n" for line in more.split("; ")), provisions=rows)
        (folder / "instruments" / f"{id}.yaml").write_text(text, encoding="utf-8")
    return load_corpus(folder)


@pytest.fixture
def small(tmp_path: Path) -> Corpus:
    return stock(
        tmp_path,
        old=("effective_to: 2019-08-31", [("1", "verified")]),
        page=(
            "effective_from: 2019-09-01; checked: 2026-11-01; official_url: https://example.cn/a/1.htm",
            [("1", "verified"), ("2", "verified"), ("3", "memory"), ("3.1.2", "memory")],
        ),
        site=("effective_from: 2026-11-22; official_url: https://example.cn/", [("1", "memory")]),
        coming=("effective_from: 2026-11-23; checked: 2026-11-30", []),
    )


def test_rows_say_state_counts_address_and_days(small: Corpus) -> None:
    found = coverage(small, {"page#1", "page#3.1.2", "old#9"}, TODAY)
    rows = [
        (r.id, r.state, r.provisions, r.verified, r.with_text, r.address, r.days_since_check)
        for r in found.rows
    ]
    assert rows == [
        ("page", "in_force", 4, 2, 2, "page", 21),
        ("site", "in_force", 1, 0, 0, "site", None),  # the first day in force
        ("coming", "not_yet", 0, 0, 0, "none", 0),  # a check in the future is no negative number of days
        ("old", "superseded", 1, 1, 0, "none", None),
    ]


def test_sums_over_all_and_over_what_is_in_force(small: Corpus) -> None:
    found = coverage(small, {"page#1", "page#3.1.2"}, TODAY)
    every, now = found.totals(), found.totals("in_force")
    assert (every.instruments, every.provisions, every.verified, every.with_text) == (4, 6, 3, 2)
    assert (every.without_address, every.only_site, every.unchecked, every.oldest_check) == (2, 1, 2, 21)
    assert (now.instruments, now.share_verified, now.share_with_text) == (2, 2 / 5, 2 / 5)


def test_a_share_of_nothing_is_unknown(small: Corpus) -> None:
    coming = coverage(small, (), TODAY).totals("not_yet")
    assert coming.share_verified is None
    assert coming.share_with_text is None
    assert coverage(small, (), TODAY).totals("superseded").oldest_check is None


def test_documents_and_provisions_without_digest_are_not_counted(small: Corpus) -> None:
    law = small.instruments["page"]
    brought = replace(law, id="doc-1", title="别的办法", short_titles=("别的办法",), document="doc-1")
    shelf = Shelf((brought,), (_article(law, "9"), _article(brought, "1")), {})
    grown = with_documents(small, shelf)
    assert grown.get("page#9") is not None
    assert grown.get("doc-1#1") is not None
    assert coverage(grown, {"page#9", "doc-1#1"}, TODAY) == coverage(small, (), TODAY)


def _article(instrument: Instrument, number: str) -> Provision:
    return Provision(
        id=f"{instrument.id}#{number}",
        instrument=instrument,
        article=number,
        paragraph=None,
        item=None,
        label=f"《{instrument.title}》第{number}条",
        topic="",
        digest="",
        text="原文。",
        keywords=(),
        applies_to=(),
        facts={},
        cross_refs=(),
        confidence="verified",
    )


def test_report_is_json_and_chinese_lines(small: Corpus) -> None:
    found = coverage(small, {"page#1"}, TODAY)
    report = json.loads(json.dumps(plain(found)))
    assert report["day"] == "2026-11-22"
    assert report["all"]["share_verified"] == 0.5
    assert report["in_force"]["instruments"] == 2
    assert [row["id"] for row in report["rows"]] == ["page", "site", "coming", "old"]
    assert report["rows"][1]["days_since_check"] is None
    assert lines(found) == (
        "法规 4 部：现行 2，已失效 1，尚未施行 1。",
        "条款 6 条：已核实 50.0%，有原文 16.7%。",
        "现行的没有官方网址 0 部，只有网站首页 1 部。",
        "最近一次查证是否仍然有效：最久的一次在21天前，未记录 1 部。",
    )


def test_nothing_is_not_zero_in_the_lines(tmp_path: Path) -> None:
    empty = stock(tmp_path, alone=("effective_from: 2020-01-01", []))
    assert lines(coverage(empty, (), TODAY))[1:] == (
        "条款 0 条：已核实 未知，有原文 未知。",
        "现行的没有官方网址 1 部，只有网站首页 0 部。",
        "最近一次查证是否仍然有效：没有一部有记录，未记录 1 部。",
    )


def test_the_catalogue_itself(corpus: Corpus) -> None:
    found = coverage(corpus, (), TODAY)
    by_id = {row.id: row for row in found.rows}
    assert len(found.rows) == len(corpus.instruments)
    assert sum(row.provisions for row in found.rows) == sum(1 for p in corpus.provisions() if p.digest)
    assert by_id["wenze-2019"].state == "in_force"
    assert by_id["wenze-2019"].days_since_check == (TODAY - date(2026, 11, 1)).days
    assert by_id["wenze-2016"].state == "superseded"
    assert by_id["gengdi-2026"].state == "not_yet"
