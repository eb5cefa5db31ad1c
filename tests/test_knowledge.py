"""The real knowledge base: complete, consistent, clean and fast to load."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from assistant.law.citations import resolve
from assistant.law.corpus import Corpus, check_knowledge, load_corpus
from assistant.law.tables import load_glossary, load_periods, load_remedies
from assistant.law.text import number_to_chinese

FOLDER = Path(__file__).resolve().parent.parent / "knowledge"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(FOLDER)


def test_nothing_is_wrong() -> None:
    assert [str(e) for e in check_knowledge(FOLDER)] == []


def test_what_it_holds(corpus: Corpus) -> None:
    assert len(corpus.instruments) >= 81
    assert len(list(corpus.provisions())) >= 931
    assert len(load_remedies(FOLDER, corpus)) == 30
    assert len(load_periods(FOLDER, corpus)) == 32
    assert len(load_glossary(FOLDER, corpus)) >= 40
    assert sum(map(len, corpus.asked.values())) >= 5000
    asked = {p.id for p in corpus.provisions() if p.id in corpus.asked}
    assert len(asked) >= 0.98 * len(list(corpus.provisions()))


def test_the_accountability_regulation_is_complete(corpus: Corpus) -> None:
    for number in range(1, 28):
        label = f"《中国共产党问责条例》第{number_to_chinese(number)}条"
        assert corpus.provision(f"wenze-2019#{number}").label == label
    items = {"7.1": 11, "8.1": 3, "8.2": 4, "17.1": 3, "18.1": 3, "19.1": 3}
    for paragraph, count in items.items():
        for item in range(1, count + 1):
            assert not corpus.provision(f"wenze-2019#{paragraph}.{item}").composed
        assert corpus.get(f"wenze-2019#{paragraph}.{count + 1}") is None


@pytest.mark.parametrize(
    ("id", "label"),
    [
        ("wenze-2019#7.1.3", "《中国共产党问责条例》第七条第（三）项"),
        ("wenze-2019#17.1.2", "《中国共产党问责条例》第十七条第（二）项"),
        ("wenze-2019#17.2", "《中国共产党问责条例》第十七条第二款"),
        ("wenze-2019#18.1.1", "《中国共产党问责条例》第十八条第（一）项"),
        ("wenze-2019#8.2.2", "《中国共产党问责条例》第八条第二款第（二）项"),
        ("jilv-2023#137", "《中国共产党纪律处分条例》第一百三十七条"),
        ("gongwuyuan-2018#95.4", "《中华人民共和国公务员法》第九十五条第四款"),
        (
            "jili-2018#n07",
            "《关于进一步激励广大干部新时代新担当新作为的意见》：容错不是保护伞",
        ),
        ("zuzhichuli-2021#n26", "《中国共产党组织处理规定（试行）》（条号待核）：调整职务的影响期"),
        ("kaohe-2019#n03", "年度考核等次的通行口径：受党纪处分的年度考核等次"),
    ],
)
def test_labels(corpus: Corpus, id: str, label: str) -> None:
    assert corpus.provision(id).label == label


def test_every_label_means_one_provision(corpus: Corpus) -> None:
    count = Counter(p.label for p in corpus.provisions())
    assert [label for label, n in count.items() if n > 1] == []


def test_notes_without_number_show_none(corpus: Corpus) -> None:
    """A note whose article is not known carries no article number in its label."""
    notes = [p for p in corpus.provisions() if p.article is None]
    assert len(notes) > 200
    for note in notes:
        assert not re.search(r"第[一二三四五六七八九十百]+条", re.sub("《.*?》", "", note.label)), note.label
        assert "未核实）" not in note.topic
        assert not {"no_uncertain", "条号候选", "content_verified"} & set(note.facts)


@pytest.mark.parametrize(
    ("title", "day", "id"),
    [
        ("中国共产党问责条例", date(2019, 8, 31), "wenze-2016"),
        ("中国共产党问责条例", date(2019, 9, 1), "wenze-2019"),
        ("中国共产党纪律处分条例", date(2023, 12, 31), "jilv-2018"),
        ("中国共产党纪律处分条例", date(2024, 1, 1), "jilv-2023"),
        ("中华人民共和国监察法", date(2025, 5, 31), "jiancha-2018"),
        ("中华人民共和国监察法", date(2025, 6, 1), "jiancha-2024"),
        ("中华人民共和国公务员法", date(2019, 6, 1), "gongwuyuan-2018"),
        ("中华人民共和国村民委员会组织法", date(2025, 12, 31), "cunweihui-2010"),
        ("中华人民共和国村民委员会组织法", date(2026, 1, 1), "cunweihui-2025"),
    ],
)
def test_one_version_a_day(corpus: Corpus, title: str, day: date, id: str) -> None:
    assert [i.id for i in corpus.versions(title) if i.in_force(day)] == [id]


def test_superseded_versions_hold_no_provisions(corpus: Corpus) -> None:
    superseded = [i for i in corpus.instruments.values() if i.effective_to]
    assert superseded
    for instrument in superseded:
        assert instrument.replaced_by in corpus.instruments
        assert corpus.children(instrument.id) == ()


@pytest.mark.parametrize(
    ("short", "id"),
    [
        ("问责条例", "wenze-2019"),
        ("党纪处分条例", "jilv-2023"),
        ("政务处分法", "zhengwuchufen-2020"),
        ("监察法", "jiancha-2024"),
        ("公务员法", "gongwuyuan-2018"),
        ("组织处理规定", "zuzhichuli-2021"),
        ("权利保障条例", "quanli-2020"),
        ("监督执纪规则", "jianduzhiji-2019"),
        ("减负若干规定", "jianfu-2024"),
        ("党章", "dangzhang-2022"),
    ],
)
def test_short_titles_name_one_instrument_in_force(corpus: Corpus, short: str, id: str) -> None:
    named = [i.id for i in corpus.instruments.values() if short in i.short_titles and not i.effective_to]
    assert named == [id]


@pytest.mark.parametrize("ambiguous", ["处分条例", "条例", "规定", "意见"])
def test_ambiguous_names_are_no_short_titles(corpus: Corpus, ambiguous: str) -> None:
    assert not any(ambiguous in i.short_titles for i in corpus.instruments.values())


def test_ranks_follow_the_kind(corpus: Corpus) -> None:
    for instrument in corpus.instruments.values():
        if instrument.kind in ("法律", "法律解释"):
            assert instrument.rank == 2
        if instrument.kind in ("行政法规", "监察法规"):
            assert instrument.rank == 3
        if instrument.kind == "规范性文件":
            assert instrument.rank == 5
    assert corpus.instruments["dangzhang-2022"].rank == 1


def test_files_carry_no_addresses_but_the_official_ones() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_dir():
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(?:work|tmp|home|root)/", text), path
        lines = [line for line in text.splitlines() if re.search(r"https?://|www\.", line)]
        assert all(line.strip().startswith("official_url: ") for line in lines), path


def test_deadlines_say_from_when(corpus: Corpus) -> None:
    """The limits most people ask about, so that a slip in the table does not go unnoticed."""
    routes = load_remedies(FOLDER, corpus)

    def limit(route: str, step: str) -> tuple[int | None, str | None, str]:
        within = next(s.within for s in routes[route].steps if s.name == step)
        return within.value, within.unit, within.start

    assert limit("RR01", "申诉") == (1, "月", "decision_received")
    assert limit("RR04", "复核") == (30, "日", "decision_known")
    assert limit("RR04", "申诉") == (15, "日", "review_received")
    assert limit("RR08", "复审") == (1, "月", "decision_received")
    assert limit("RR08", "复核") == (1, "月", "review_received")
    assert limit("RR02", "申诉") == (None, None, "none")
    direct = next(s.instead for s in routes["RR04"].steps if s.name == "申诉")
    assert direct
    assert (direct.value, direct.unit, direct.start) == (30, "日", "decision_known")
    assert routes["RR01"].confidence == "memory"


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("IP01", "1年（自处分批准之日起）"),
        ("IP02", "18个月（自处分批准之日起）"),
        ("IP19", "6个月（自诫勉之日起）"),
        ("IP25", ""),
        ("IP31", "以影响期最长的为准"),
    ],
)
def test_periods_in_words(corpus: Corpus, id: str, words: str) -> None:
    rows = {row.id: row for row in load_periods(FOLDER, corpus)}
    assert rows[id].period_words == words


@pytest.mark.parametrize(
    ("quoted", "now"),
    [
        ("2016年问责条例第六条", "wenze-2019#7"),
        ("2016年问责条例第十条", "wenze-2019#16"),
        ("2018年监察法第四十九条", "jiancha-2024#56"),
        ("2018年监察法第六十条", "jiancha-2024#69"),
        ("2005年公务员法第九十条", "gongwuyuan-2018#95"),
        ("2004年党员权利保障条例第十三条", "quanli-2020#18"),
    ],
)
def test_an_old_article_names_the_one_that_governs(corpus: Corpus, quoted: str, now: str) -> None:
    reference = resolve(quoted, corpus, date(2026, 11, 22))
    assert (reference.status, reference.now) == ("superseded", now)
    assert "不再适用" in reference.notice
    assert corpus.provision(now).label in reference.notice


def test_a_repealed_law_leads_to_the_one_in_force(corpus: Corpus) -> None:
    """行政监察法 gave way to 监察法 of 2018, and that to the text of 2024."""
    reference = resolve("行政监察法第二十条", corpus, date(2026, 11, 22))
    assert (reference.status, reference.now) == ("superseded", None)
    assert "《中华人民共和国监察法》（2024年）" in reference.notice
