"""What changed between two versions: pairing by words, edits, and how they read."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from assistant.adapters.readers import Limits, Source, read
from assistant.documents.alignment import pair_texts
from assistant.documents.changes import NOTHING, in_short, in_words
from assistant.documents.differences import Change, as_data, differences
from assistant.documents.structure import read_regulation
from assistant.documents.wording import _edits, word_edits
from assistant.law.text import normalise
from assistant.model import ArticleText, Item, Paragraph, Regulation

PURPOSE = "为了规范试验工作，明确试验人员的职责，制定本条例。"
SCOPE = "本条例适用于各级试验站及其工作人员，法律另有规定的除外。"
REPORT = "试验人员发现仪器异常的，应当在十日内向站长书面报告。"
REFUSE = "站长不得要求试验人员伪造数据；试验人员有权拒绝，并可以向上级试验站反映。"
FILES = "试验站应当建立档案，妥善保管原始记录，保管期限不少于五年。"
START = "本条例自公布之日起施行。"


def law(*articles: str | ArticleText, title: str = "试验条例", section: str = "") -> Regulation:
    made = (
        a if isinstance(a, ArticleText) else ArticleText(str(n), (Paragraph(a),), section)
        for n, a in enumerate(articles, 1)
    )
    return Regulation(title, tuple(made))


def listed(number: str, lead: str, *items: str, behind: str = "") -> ArticleText:
    numbered = tuple(
        Item(n, f"（{'一二三四五六七八九十'[n - 1]}）{words}") for n, words in enumerate(items, 1)
    )
    paragraphs = (Paragraph(lead, numbered), *([Paragraph(behind)] if behind else []))
    return ArticleText(number, paragraphs)


def kinds(changes: tuple[Change, ...]) -> list[tuple[str, str, str]]:
    return [(c.kind, c.old, c.new) for c in changes]


# ---------------------------------------------------------------- which article became which


def test_the_same_regulation_has_no_differences() -> None:
    one = law(PURPOSE, SCOPE, REPORT)
    assert differences(one, one) == ()
    assert in_words(()) == in_short(()) == NOTHING


def test_blanks_width_and_traditional_characters_are_no_differences() -> None:
    old = law("依據《問責條例》第7條(三)項,應當報告。")
    new = law("依据《问责条例》第７条（三）项，应当 报告。")
    assert differences(old, new) == ()


def test_an_inserted_article_renumbers_the_rest_and_changes_none() -> None:
    old, new = law(PURPOSE, SCOPE, REPORT, START), law(PURPOSE, SCOPE, FILES, REPORT, START)
    assert kinds(differences(old, new)) == [
        ("added", "", "3"),
        ("renumbered", "3", "4"),
        ("renumbered", "4", "5"),
    ]
    assert in_words(differences(old, new)).splitlines() == [
        "新增1条，条号有变2条。",
        "",
        f"- 增加第三条：“{FILES}”",
        "- 原第三条至第四条依次改为第四条至第五条，文字没有变化",
    ]


def test_a_removed_article_is_named_by_its_old_number_where_it_stood() -> None:
    changes = differences(law(PURPOSE, SCOPE, REPORT), law(PURPOSE, REPORT))
    assert kinds(changes) == [("removed", "2", ""), ("renumbered", "3", "2")]
    assert f"- 删去原第二条：“{SCOPE}”" in in_words(changes)


def test_an_article_that_was_changed_and_renumbered_is_one_change() -> None:
    changed = REPORT.replace("十日", "十五日")
    [added, change] = differences(law(PURPOSE, REPORT), law(PURPOSE, FILES, changed))
    assert (added.kind, change.kind, change.old, change.new) == ("added", "changed", "2", "3")
    assert "- 第三条（原第二条）：“应当在”之后，把“十”改为“十五”" in in_words((change,))


def test_an_article_moved_far_away_is_found_again() -> None:
    changes = differences(law(PURPOSE, SCOPE, REPORT, REFUSE), law(REFUSE, PURPOSE, SCOPE, REPORT))
    assert [c.kind for c in changes] == ["renumbered"] * 4
    assert ("4", "1") in {(c.old, c.new) for c in changes}


def test_an_inserted_article_of_an_amendment_keeps_its_number() -> None:
    inserted = ArticleText("2-1", (Paragraph(FILES),))
    [change] = differences(law(PURPOSE, SCOPE), law(PURPOSE, SCOPE, inserted))
    assert (change.kind, change.new) == ("added", "2-1")
    assert "增加第二条之一" in in_words((change,))


def test_unrelated_texts_share_nothing() -> None:
    changes = differences(law(PURPOSE, REPORT), law("甲乙丙丁。", "子丑寅卯。"))
    assert sorted(c.kind for c in changes) == ["added", "added", "removed", "removed"]


def test_pairs_name_every_position_once() -> None:
    chance = random.Random(3)
    words = [PURPOSE, SCOPE, REPORT, REFUSE, FILES, START]
    for _ in range(50):
        old = chance.sample(words, chance.randint(0, 6))
        new = chance.sample(words, chance.randint(0, 6))
        pairs = pair_texts(old, new)
        assert sorted(i for i, _ in pairs if i is not None) == list(range(len(old)))
        assert [j for _, j in pairs if j is not None] == list(range(len(new)))
        assert all(old[i] == new[j] for i, j in pairs if i is not None and j is not None)


# ---------------------------------------------------------------- headings


def test_a_renumbered_chapter_is_one_change_and_moves_no_article() -> None:
    old = Regulation(
        "试验条例",
        tuple(ArticleText(str(n), (Paragraph(w),), "第二章 职责") for n, w in ((1, SCOPE), (2, REPORT))),
    )
    new = replace(old, articles=tuple(replace(a, section="第三章　职　责") for a in old.articles))
    [change] = differences(old, new)
    assert (change.part, change.kind, change.old, change.new) == (
        "heading",
        "renumbered",
        "第二章 职责",
        "第三章　职　责",
    )


def test_an_article_under_another_heading_was_moved() -> None:
    def under(*sections: str) -> Regulation:
        texts = zip((PURPOSE, SCOPE, REPORT, REFUSE), sections, strict=True)
        return Regulation(
            "试验条例", tuple(ArticleText(str(n), (Paragraph(t),), s) for n, (t, s) in enumerate(texts, 1))
        )

    first, second = "第一章 总则", "第二章 职责"
    [change] = differences(under(first, first, first, second), under(first, first, second, second))
    assert (change.kind, change.new, change.old_section, change.new_section) == ("moved", "3", first, second)
    assert "- 第三条由“第一章 总则”移到“第二章 职责”，文字没有变化" in in_words((change,))


def test_a_renamed_chapter_is_not_a_move() -> None:
    [change] = differences(
        law(PURPOSE, SCOPE, section="第一章 总则"), law(PURPOSE, SCOPE, section="第一章 一般规定")
    )
    assert (change.part, change.kind) == ("heading", "changed")


def test_a_document_without_headings_moves_nothing() -> None:
    assert differences(law(PURPOSE, SCOPE, section="第一章 总则"), law(PURPOSE, SCOPE)) == ()


# ---------------------------------------------------------------- inside an article


@pytest.mark.parametrize(
    ("old", "new", "reads"),
    [
        (REPORT, REPORT.replace("书面", ""), "删去“书面”"),
        (REPORT, REPORT.replace("应当", "可以"), "把“应当”改为“可以”"),
        (REPORT, REPORT.replace("向站长", "向站长和上级试验站"), "在“应当在十日内向站长”之后增加“和上级试验站”"),
        (FILES, FILES.replace("五年", "十五年"), "把“五”改为“十五”"),
        (FILES, FILES.replace("原始记录，", ""), "删去“原始记录，”"),
        (SCOPE, SCOPE + "涉密试验不适用。", "在“法律另有规定的除外。”之后增加“涉密试验不适用。”"),
        (SCOPE, "一般规定如下。" + SCOPE, "在“本条例适用于各级试验站及”之前增加“一般规定如下。”"),
        ("第3条所列1000元以下。", "第4条所列10000元以下。", "把“3”改为“4”"),
        ("负责人的责任。", "负责人员责任。", "“负责人”之后，把“的责”改为“员责”"),
    ],
)  # fmt: skip
def test_edits_read_well(old: str, new: str, reads: str) -> None:
    assert reads in in_words(differences(law(PURPOSE, old), law(PURPOSE, new)))


def test_quotes_are_verbatim() -> None:
    old, new = "應當 (及時)向 站長報告。", "應當 (立即)向 站長報告。"
    [edit] = word_edits(old, new)
    assert (edit.old, edit.new) == ("及時", "立即")
    assert edit.after in old


def test_applying_the_edits_gives_the_new_text() -> None:
    chance = random.Random(7)
    letters = "试验人员应当报告站长，不得拖延；情节严重的。"
    for _ in range(300):
        old = "".join(chance.choice(letters) for _ in range(chance.randint(0, 40)))
        new = list(old)
        for _ in range(chance.randint(0, 6)):
            at = chance.randint(0, len(new))
            new[at : at + chance.randint(0, 4)] = chance.sample(letters, chance.randint(0, 5))
        assert applied(normalise(old), normalise("".join(new))) == normalise("".join(new))


def applied(old: str, new: str) -> str:
    made, at = "", 0
    for edit in _edits(old, new):
        assert edit.i1 >= at, "edits are in order and do not overlap"
        made += old[at : edit.i1] + new[edit.j1 : edit.j2]
        at = edit.i2
    return made + old[at:]


def test_a_new_item_renumbers_those_behind_it() -> None:
    old = listed("1", "有下列情形之一的，应当停止试验：", "仪器损坏的；", "人员不足的；", "其他情形。")
    new = listed(
        "1",
        "有下列情形之一的，应当停止试验：",
        "仪器损坏的；",
        "天气恶劣影响安全的；",
        "人员不足的；",
        "其他情形。",
    )
    text = in_words(differences(law(old), law(new)))
    assert "增加第（二）项：“天气恶劣影响安全的；”" in text
    assert "原第（二）项至第（三）项依次改为第（三）项至第（四）项" in text


def test_edits_name_paragraph_and_item() -> None:
    old = listed(
        "1", "应当停止试验的情形：", "仪器损坏的；", "人员不足的。", behind="停止试验的，应当在三日内报告。"
    )
    new = listed(
        "1",
        "应当停止试验的情形：",
        "仪器严重损坏的；",
        "人员不足的。",
        behind="停止试验的，应当在五日内报告。",
    )
    text = in_words(differences(law(old), law(new)))
    assert "  - 第（一）项：在“仪器”之后增加“严重”" in text
    assert "  - 第二款：“应当在”之后，把“三”改为“五”" in text


def test_a_paragraph_cut_in_two_is_not_a_change_of_words() -> None:
    old = ArticleText("1", (Paragraph(REPORT + FILES),))
    new = ArticleText("1", (Paragraph(REPORT), Paragraph(FILES)))
    [change] = differences(law(old), law(new))
    assert [edit.kind for edit in change.edits] == ["divided"]
    assert "文字没有变化，只是分款、分项不同" in in_words((change,))


# ---------------------------------------------------------------- what is not an article


def test_title_day_and_appendices_are_compared() -> None:
    old = replace(law(PURPOSE), effective_from=date(2020, 1, 1), appendices=(("附件1 表格", "甲\t乙"),))
    new = replace(
        law(PURPOSE, title="试验工作条例"),
        effective_from=date(2021, 1, 1),
        appendices=(("附件1 表格", "甲\t丙"), ("附件2 清单", "子丑寅卯")),
    )
    changes = differences(old, new)
    assert [(c.part, c.kind) for c in changes] == [
        ("title", "changed"), ("effective", "changed"), ("appendix", "changed"), ("appendix", "added"),
    ]  # fmt: skip
    assert in_short(changes) == "标题、施行日期、附件有变化。"
    assert "- 施行日期由“2020-01-01”改为“2021-01-01”" in in_words(changes)


def test_a_day_that_one_page_leaves_out_is_no_difference() -> None:
    assert differences(replace(law(PURPOSE), effective_from=date(2020, 1, 1)), law(PURPOSE)) == ()


def test_preamble_and_signature_are_compared() -> None:
    old = replace(law(PURPOSE), preamble=("2020年1月1日试验委员会通过",), closing=("试验委员会",))
    new = replace(old, preamble=("2020年1月1日试验委员会通过", "2021年3月1日修订"))
    assert in_words(differences(old, new)).splitlines()[2:] == [
        "- 题注：在“年1月1日试验委员会通过”之后增加“2021年3月1日修订”"
    ]
    assert "- 删去落款：“试验委员会”" in in_words(differences(old, replace(old, closing=())))


# ---------------------------------------------------------------- as data and as Markdown


def test_changes_are_json() -> None:
    changes = differences(law(PURPOSE, REPORT), law(PURPOSE, REPORT.replace("十日", "五日"), FILES))
    data = json.loads(json.dumps(as_data(changes), ensure_ascii=False))
    assert [(row["part"], row["kind"], row.get("new")) for row in data] == [
        ("article", "changed", "2"), ("article", "added", "3"),
    ]  # fmt: skip
    assert data[0]["edits"][0]["old"] == "十"


def test_markup_in_a_document_stays_text() -> None:
    text = in_words(differences(law(PURPOSE), law(PURPOSE, "<script>alert(1)</script>[点击](x) **粗**")))
    assert "<script>" not in text.replace("\\<", "")
    assert "\\[点击\\]" in text
    assert "\\*\\*粗" in text


def test_a_long_code_is_compared_quickly() -> None:
    chance = random.Random(1)
    subjects = [f"{a}{b}人" for a in "甲乙丙丁戊己庚辛" for b in "东西南北中"]
    texts = [
        f"{chance.choice(subjects)}与{chance.choice(subjects)}因第{n}类事务发生争议的，应当自收到之日起{n}日内提出。"
        for n in range(1, 201)
    ]
    changes = differences(law(*texts), law("总的要求。", *texts))
    assert [c.kind for c in changes].count("renumbered") == 200


# ---------------------------------------------------------------- two real versions

OFFICIAL = Path(__file__).resolve().parents[2] / "shared" / "official"


@pytest.fixture(scope="module")
def versions() -> tuple[Regulation, Regulation]:
    """监察法 of 2018 and of 2024, as the readers and the structure have them."""
    read_back = []
    for name in ("监察法(2018-03-20).md", "监察法(2024-12-25).md"):
        path = OFFICIAL / name
        if not path.exists():
            pytest.skip("../shared/official is not here: two real versions cannot be compared")
        regulation = read_regulation(read(Source(name, path.read_bytes()), Limits()))
        assert regulation is not None
        read_back.append(regulation)
    return read_back[0], read_back[1]


def test_the_articles_of_a_real_amendment_are_paired_by_their_words(
    versions: tuple[Regulation, Regulation],
) -> None:
    changes = [c for c in differences(*versions) if c.part == "article"]
    assert [c.new for c in changes if c.kind == "added"] == [
        "21",
        "23",
        "25",
        "46",
        "48",
        "49",
        "51",
        "62",
        "64",
    ]
    assert not [c for c in changes if c.kind in ("removed", "moved")]
    became = {c.old: c.new for c in changes if c.old}
    assert (became["21"], became["22"], became["23"], became["43"], became["44"], became["69"]) == (
        "22", "24", "26", "47", "50", "78",
    )  # fmt: skip
    assert "2" not in became, "what was not touched is not mentioned"
    assert "原第六十六条至第六十九条依次改为第七十五条至第七十八条，文字没有变化" in in_words(changes)


def test_the_edits_of_a_real_amendment_make_the_new_text(versions: tuple[Regulation, Regulation]) -> None:
    old = {article.number: article.whole for article in versions[0].articles}
    new = {article.number: article.whole for article in versions[1].articles}
    changed = [c for c in differences(*versions) if c.part == "article" and c.kind == "changed"]
    for change in changed:
        before, after = normalise(old[change.old]), normalise(new[change.new])
        assert applied(before, after) == after
        for edit in change.edits:
            assert normalise(edit.old) in before, "what was taken out is quoted from the old text"
            assert normalise(edit.new) in after, "what was put in is quoted from the new text"
