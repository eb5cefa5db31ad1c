"""Letters: what stands in them, what they rest on, and how they look as a file that Word opens."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX
from docx.oxml.ns import qn
from docx.shared import Pt

from assistant.adapters.official_docx import to_docx
from assistant.documents.official import LONGEST, MOST_LINES, from_text
from assistant.drafting import Draft, Drafter
from assistant.errors import DraftError, KnowledgeError
from assistant.law.citations import find_references
from assistant.law.drafts import check_drafts, load_drafts
from assistant.law.text import numbers
from assistant.model import Advice, Question
from assistant.prompts import Prompts
from assistant.settings import Settings
from assistant.wiring import Parts, check_all

DAY = date(2026, 3, 20)
RECEIVED = date(2026, 2, 25)

EXEMPT = (
    "我是乡党委委员，会上集体决定搞产业园，我明确反对并写进会议记录，后来项目亏了800万，"
    "县纪委要对我问责，正在调查。"
)
DECIDED = (
    "我是副镇长，分管安全。2026年1月5日辖区企业爆炸，2人死亡，事前我带队检查过三次，没有督促整改到位。"
    "2026年2月25日收到镇党委的问责决定，给我党内警告，我不服。"
)
UNJUST = "领导让我背锅，群里没回消息被通报了，县领导批示当天就要求三天内问责3人，这算问责吗？我是镇纪委书记。"
VILLAGE = "我是村支书，低保审核把关不严，被诫勉谈话，没有听我申辩。"
OPEN = "我们镇出了事，要被问责吗？"
ORGANISATION = (
    "我们乡党委因为防汛不力被县委通报，我们已经按要求值守，雨量远超预报，2026年3月1日收到县委的问责决定。"
)
NOT_PARTY: dict[str, str | tuple[str, ...]] = {
    "subject": "非党员公职人员",
    "party_member": "no",
    "own_violation": "yes",
    "measure": ("政务记过",),
    "decided_by": "监察机关",
    "stage": "已作决定",
}
DOCTOR = (
    "我在县医院当医生，不是党员。监委给我政务记过处分，说我收了药商的礼品，2026年2月25日我收到了处分决定。"
)
CIVIL: dict[str, str | tuple[str, ...]] = {
    "subject": "普通党员干部",
    "identity_kind": "公务员",
    "measure": ("单位处分",),
    "stage": "已作决定",
    "not_heard": "yes",
}
CLERK = "我在县财政局当科员，局里说我报表出错，给了我记过处分，2026年2月25日我拿到决定书，之前没有听我申辩。"

SITUATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "免责": (EXEMPT, {}),
    "收到决定": (DECIDED, {}),
    "泛化": (UNJUST, {}),
    "村干部": (VILLAGE, {}),
    "缺事实": (OPEN, {}),
    "党组织": (ORGANISATION, {}),
    "不是党员": (DOCTOR, NOT_PARTY),
    "单位处分": (CLERK, CIVIL),
}


@pytest.fixture(scope="module")
def drafter(parts: Parts) -> Drafter:
    return parts.drafter


@pytest.fixture(scope="module")
def advices(parts: Parts) -> dict[str, Advice]:
    return {
        name: parts.advisor.ask(Question(text, DAY, confirmed=confirmed))
        for name, (text, confirmed) in SITUATIONS.items()
    }


def drafts_of(drafter: Drafter, advice: Advice) -> list[Draft]:
    text = advice.question.text
    return [drafter.draft(kind.id, text, advice, DAY, None) for kind in drafter.kinds(advice)]


def document_of(text: str) -> Any:
    return Document(io.BytesIO(to_docx(text)))


def named_in(advice: Advice) -> set[str]:
    """Every provision that the advice names."""
    made = advice.determination
    assert made
    ids = {c.id for c in advice.citations} | {c.id for c in made.clauses} | {e.id for e in made.exemptions}
    ids |= {id for part in (*made.findings, *made.misuse_signals) for id in part.provisions}
    for route in made.routes:
        ids |= {*route.legal_basis, *route.effect_basis, *(id for s in route.steps for id in s.basis)}
    return ids


def without_story(text: str) -> str:
    """What the draft itself says: no hints, no words of the story, no numbers of headings and lists."""
    lines = [line for line in text.splitlines() if not line.startswith(("※", "“"))]
    lines = [
        re.sub(r"^(?:（[一二三四五六七八九十]+）|[一二三]、|(?:附件：)?\d+\. )", "", line) for line in lines
    ]
    return re.sub(r"“[^”]*”", "", "\n".join(lines))


# ---------------------------------------------------------------- what stands in it


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_every_ground_was_in_the_advice_and_is_in_force(
    name: str, drafter: Drafter, advices: dict[str, Advice], parts: Parts
) -> None:
    advice = advices[name]
    made = drafts_of(drafter, advice)
    assert made
    for draft in made:
        assert set(draft.grounds) <= named_in(advice), draft.kind
        for id in draft.grounds:
            provision = parts.corpus.provision(id)
            assert provision.instrument.in_force(DAY)
            assert provision.label.split("：")[0] in draft.text
            if provision.confidence == "memory":
                assert f"{provision.label.split('：')[0]}【待核】" in draft.text
        labels = {parts.corpus.provision(id).label for id in draft.grounds}
        said = "\n".join(re.sub(r"（要旨）：.*", "", line) for line in without_story(draft.text).splitlines())
        for reference in find_references(said, parts.corpus, DAY):
            if reference.provision_id:
                assert parts.corpus.provision(reference.provision_id).label in labels


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_every_number_and_date_was_given_or_is_the_law(
    name: str, drafter: Drafter, advices: dict[str, Advice], parts: Parts
) -> None:
    for draft in drafts_of(drafter, advices[name]):
        known = set(numbers(f"{advices[name].question.text}\n2026年3月20日"))
        for id in draft.grounds:
            p = parts.corpus.provision(id)
            known |= set(numbers(f"{p.label}\n{p.digest}\n{p.text or ''}"))
        assert set(numbers(without_story(draft.text).replace("一句话", ""))) <= known, draft.kind


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_no_fact_is_told_that_the_sheet_lacks(
    name: str, drafter: Drafter, advices: dict[str, Advice], parts: Parts
) -> None:
    """Quotes are words of the story, confirmed facts are told by their label, and no other fact is named."""
    advice = advices[name]
    story = "".join(advice.question.text.split())
    confirmed = {
        parts.advisor.law.vocabulary.facts[f.name].label for f in advice.facts if f.source == "confirmed"
    }
    for draft in drafts_of(drafter, advice):
        for line in draft.text.splitlines():
            if line.startswith(("相关经过：“", "【请核对：您讲到")):
                assert all("".join(q.split()) in story for q in re.findall(r"“([^”]*)”", line)), line
            if line.startswith("相关情况："):
                assert any(label in line for label in confirmed)


@pytest.mark.parametrize("name", list(SITUATIONS))
def test_every_draft_is_a_document_with_its_parts(
    name: str, drafter: Drafter, advices: dict[str, Advice]
) -> None:
    advice = advices[name]
    for draft in drafts_of(drafter, advice):
        kinds = [line.kind for line in from_text(draft.text)]
        assert kinds[:2] == ["title", "addressee"], draft.kind
        assert kinds[-2:] == ["signature", "signature"], draft.kind
        assert {"heading", "subheading", "body", "attachments"} <= set(kinds)
        words = "".join(p.text for p in document_of(draft.text).paragraphs)
        assert draft.text.splitlines()[0].startswith("※")
        assert "※" not in words
        assert advice.question.text.replace("\n", "") in words
        assert draft.title in words
        assert "2026年3月20日" in words


def test_before_a_decision_the_statement_comes_first_and_rests_on_the_exemption(
    drafter: Drafter, advices: dict[str, Advice]
) -> None:
    advice = advices["免责"]
    kinds = drafter.kinds(advice)
    assert kinds[0].id == "statement"
    assert kinds[0].fits
    assert not next(k for k in kinds if k.id == "appeal").fits
    draft = drafter.draft("statement", EXEMPT, advice, DAY, None)
    assert "wenze-2019#17.1.2" in draft.grounds
    assert "《中国共产党问责条例》第十七条第（二）项（要旨）：" in draft.text
    assert "请调取会议记录核对，不予或者免予问责" in draft.text
    assert "【会议记录、书面意见复印件】" in draft.text
    assert "【单位全称】乡党委委员" in draft.text


def test_after_a_decision_the_appeal_names_the_body_the_day_and_the_last_day(
    drafter: Drafter, advices: dict[str, Advice]
) -> None:
    advice = advices["收到决定"]
    assert drafter.kinds(advice)[0].id == "appeal"
    draft = drafter.draft("appeal", DECIDED, advice, DAY, RECEIVED)
    assert draft.title == "申诉书"
    assert "\n镇党委【写全称】：\n" in draft.text
    assert "于2026年2月25日收到该决定" in draft.text
    assert "（处理内容：党内警告）" in draft.text
    assert "※申诉的最后一天是2026年3月25日（按2026年2月25日收到推算" in draft.text
    late = drafter.draft("appeal", DECIDED, advice, DAY, date(2026, 1, 25))
    assert "※申诉的最后一天是2026年2月25日" in late.text
    assert "已经过了" in late.text


def test_a_draft_for_what_falls_under_accountability_claims_no_more_than_was_found(
    drafter: Drafter, parts: Parts
) -> None:
    facts: dict[str, str | tuple[str, ...]] = {
        "subject": "党的领导干部",
        "duty_failure": "yes",
        "consequence": "严重",
        "situation": ("9",),
        "stage": "已作决定",
        "remedied": "no",
    }
    advice = parts.advisor.ask(Question(DECIDED, DAY, confirmed=facts))
    assert advice.determination
    assert advice.determination.scope == "in"
    draft = drafter.draft("appeal", DECIDED, advice, DAY, RECEIVED)
    said = without_story(draft.text)
    assert "没有主张不属于问责" in draft.text
    for claim in ("不属于问责", "不应当问责的予以", "撤销决定", "免予问责", "职责范围"):
        assert claim not in said, claim


def test_what_is_possible_is_asked_to_be_found_out_and_what_is_not_met_is_left_out(
    drafter: Drafter, parts: Parts
) -> None:
    story = "我是镇长，按县里的决定拆了市场，出了群体性事件，正在调查我。"
    facts: dict[str, str | tuple[str, ...]] = {"subject": "党的领导干部", "order_from_above": "yes"}
    advice = parts.advisor.ask(Question(story, DAY, confirmed=facts))
    text = drafter.draft("statement", story, advice, DAY, None).text
    assert "有没有提出过改正或者撤销的意见，有待查明" in text
    assert "相关情况：执行上级决定【" in text or "相关经过：“" in text
    silent = parts.advisor.ask(Question(story, DAY, confirmed={**facts, "objected_to_superior": "no"}))
    draft = drafter.draft("statement", story, silent, DAY, None)
    assert "wenze-2019#17.2" not in draft.grounds
    assert "上级决定提出" not in draft.text


def test_signs_of_misuse_become_points_with_the_words_that_were_said(
    drafter: Drafter, advices: dict[str, Advice]
) -> None:
    draft = drafter.draft("appeal", UNJUST, advices["泛化"], DAY, None)
    assert "）关于问责的依据" in draft.text
    assert "）关于调查时间" in draft.text
    assert "“三天内问责”" in draft.text
    assert "《中国共产党问责条例》第十条（内容见前）" in draft.text
    assert "于【收到决定的日期】收到该决定" in draft.text
    assert "※还没有收到决定的日期" in draft.text


def test_a_sanction_of_the_supervisory_body_leads_to_review_then_recheck(
    drafter: Drafter, advices: dict[str, Advice]
) -> None:
    advice = advices["不是党员"]
    kinds = {k.id: k for k in drafter.kinds(advice)}
    assert kinds["review"].fits
    assert not kinds["recheck"].fits
    assert "appeal" not in kinds
    review = drafter.draft("review", DOCTOR, advice, DAY, RECEIVED)
    assert review.title == "复审申请书"
    assert {"jiancha-2024#56", "zhengwuchufen-2020#55"} <= set(review.grounds)
    assert "监委【写全称】：" in review.text
    assert "※复审的最后一天是2026年3月25日" in review.text
    assert "wenze" not in "".join(review.grounds)
    recheck = drafter.draft("recheck", DOCTOR, advice, DAY, RECEIVED)
    assert "【上一级监察机关，写全称】：" in recheck.text
    assert "于【收到前一步处理决定的日期】收到" in recheck.text
    assert "【前一步处理决定复印件】" in recheck.text
    with pytest.raises(DraftError, match="没有用得上“书面申诉”的一步；可以写的有：复审申请"):
        drafter.draft("appeal", DOCTOR, advice, DAY, RECEIVED)


def test_after_a_first_appeal_the_next_step_is_offered(drafter: Drafter, parts: Parts) -> None:
    confirmed = {**NOT_PARTY, "stage": "已申诉"}
    advice = parts.advisor.ask(Question(DOCTOR, DAY, confirmed=confirmed))
    assert {k.id for k in drafter.kinds(advice) if k.fits} >= {"recheck"}


def test_a_civil_servant_may_ask_for_recheck_or_appeal_at_once(
    drafter: Drafter, advices: dict[str, Advice]
) -> None:
    advice = advices["单位处分"]
    kinds = {k.id: k for k in drafter.kinds(advice)}
    assert kinds["recheck"].fits
    assert kinds["appeal"].fits
    draft = drafter.draft("recheck", CLERK, advice, DAY, RECEIVED)
    assert "【原处理机关，写全称】：" in draft.text
    assert "gongwuyuan-2018#95.1" in draft.grounds
    assert "）关于听取陈述和申辩" in draft.text
    assert "gongwuyuan-2018#63" in draft.grounds
    assert "相关经过：“之前没有听我申辩”" in draft.text or "相关情况：没有听取陈述申辩【" in draft.text
    assert "处理内容：单位处分" not in draft.text  # a class of sanctions, not what the decision says
    assert "【单位全称】科员" in draft.text
    assert next(k.id for k in drafter.kinds(advice)) == "recheck"
    assert "※复核的最后一天是2026年3月27日" in draft.text


def test_a_party_organisation_signs_with_its_seal(drafter: Drafter, advices: dict[str, Advice]) -> None:
    text = drafter.draft("appeal", ORGANISATION, advices["党组织"], DAY, None).text
    assert "本组织不服县委【写全称】作出的" in text
    assert "申诉人：【盖章】" in text
    assert "本人" not in without_story(text)


def test_facts_that_were_guessed_without_words_in_the_story_are_asked_for(
    drafter: Drafter, advices: dict[str, Advice]
) -> None:
    """The story on the screen may differ from the one that was read; what is not in it is not quoted."""
    advice = advices["免责"]
    text = drafter.draft("statement", "县里要处理我。", advice, DAY, None).text
    assert "相关经过：【写明时间、地点、谁在场、说了或者做了什么】" in text
    assert "【单位和职务】" in text
    assert "明确反对并写进" not in text


def test_private_numbers_stay_in_the_story_that_the_person_sees(drafter: Drafter, parts: Parts) -> None:
    story = f"{EXEMPT}我的电话13812345678。"
    advice = parts.advisor.ask(Question(story, DAY))
    assert "13812345678" not in advice.question.text
    assert "13812345678" in drafter.draft("statement", story, advice, DAY, None).text


@pytest.mark.parametrize(
    ("kind", "text", "story", "received", "sentence"),
    [
        ("appeal", "问责条例第十七条是什么？", "问责条例第十七条是什么？", None, "这是在问规定"),
        ("appeal", "红烧肉怎么做？", "红烧肉怎么做？", None, "没有给出判断"),
        ("will", OPEN, OPEN, None, "没有“will”这种文书，可以写的有：书面申诉（appeal）"),
        ("statement", OPEN, "  \n", None, "没有看到经过"),
        ("appeal", OPEN, OPEN, date(2026, 4, 1), "2026年4月1日还没有到"),
        ("review", OPEN, OPEN, None, "没有用得上“复审申请”的一步"),
    ],
)
def test_what_cannot_be_written_gets_one_sentence(
    kind: str, text: str, story: str, received: date | None, sentence: str, drafter: Drafter, parts: Parts
) -> None:
    advice = parts.advisor.ask(Question(text, DAY))
    with pytest.raises(DraftError) as caught:
        drafter.draft(kind, story, advice, DAY, received)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("。") or "可以写的有" in str(caught.value)


def test_a_supposition_and_a_question_about_the_rules_offer_no_letter(
    drafter: Drafter, advices: dict[str, Advice], parts: Parts
) -> None:
    supposed = replace(advices["免责"], supposed=True)
    assert drafter.kinds(supposed) == ()
    with pytest.raises(DraftError, match="不能拿假设写文书"):
        drafter.draft("statement", EXEMPT, supposed, DAY, None)
    assert drafter.kinds(parts.advisor.ask(Question("问责条例第十七条是什么？", DAY))) == ()


def test_only_law_in_force_on_the_day_is_cited(drafter: Drafter, parts: Parts) -> None:
    before = date(2018, 6, 1)  # the regulation of 2019 was not there yet
    advice = parts.advisor.ask(Question(DECIDED, DAY))
    with pytest.raises(DraftError):
        drafter.draft("appeal", DECIDED, parts.advisor.ask(Question(DECIDED, before)), before, None)
    assert "wenze-2019#20" not in drafter.draft("appeal", DECIDED, advice, before, None).grounds


# ---------------------------------------------------------------- wording and rules that do not fit together


def _changed(settings: Settings, folder: Path, name: str, old: str, new: str) -> tuple[Path, Path]:
    """Copies of the two folders as far as letters need them, with a mistake in one file."""
    shutil.copytree(settings.prompts, folder / "prompts")
    (folder / "knowledge").mkdir()
    shutil.copy(settings.knowledge / "drafting.yaml", folder / "knowledge")
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return folder / "knowledge", folder / "prompts"


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        ("knowledge/drafting.yaml", "steps: [复审]", "steps: [重审]", "没有“重审”这一步"),
        ("knowledge/drafting.yaml", "{RR01:", "{RR99:", "没有编号为 RR99 的救济途径"),
        ("knowledge/drafting.yaml", "wenze-2019#9,", "wenze-2019#99,", "没有条款 wenze-2019#99"),
        ("knowledge/drafting.yaml", "(?P<words>[^", "(?P<word>[^", "正则里要有"),
        ("prompts/drafts/points.yaml", "  株连式问责:", "  株连:", "缺少措辞：株连式问责"),
        ("prompts/drafts/points.yaml", "  nature/unrelated:", "  nature/other:", "在决策表里没有"),
        ("prompts/drafts/wording.yaml", "  recheck:\n", "  again:\n", "对不上"),
    ],
)
def test_mistakes_in_rules_and_wording_are_named(
    settings: Settings, parts: Parts, tmp_path: Path, name: str, old: str, new: str, sentence: str
) -> None:
    knowledge, prompts = _changed(settings, tmp_path, name, old, new)
    law = parts.advisor.law
    facts, signals = law.vocabulary.facts, parts.advisor.writer.labels["signals"]
    problems = list(check_drafts(knowledge, law.corpus, law.remedies, facts, signals))
    try:
        Drafter.of(Prompts(prompts), law, knowledge)
    except KnowledgeError as error:
        problems.append(error)
    assert any(sentence in str(p) and Path(name).name in str(p) for p in problems), problems


def test_the_check_of_the_knowledge_base_looks_at_letters_too(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(settings.knowledge, tmp_path / "knowledge")
    path = tmp_path / "knowledge/drafting.yaml"
    path.write_text(path.read_text("utf-8").replace("steps: [复审]", "steps: [重审]"), "utf-8")
    problems, _ = check_all(settings.model_copy(update={"knowledge": tmp_path / "knowledge"}))
    assert ["没有“重审”这一步" in str(p) for p in problems] == [True]


def test_a_missing_template_is_named(settings: Settings, tmp_path: Path, parts: Parts) -> None:
    shutil.copytree(settings.prompts, tmp_path / "prompts")
    (tmp_path / "prompts/drafts/statement.md.j2").unlink()
    drafter = Drafter(Prompts(tmp_path / "prompts"), parts.advisor.law, load_drafts(settings.knowledge))
    with pytest.raises(KnowledgeError, match=r"drafts/statement\.md\.j2"):
        drafter.draft("statement", EXEMPT, parts.advisor.ask(Question(EXEMPT, DAY)), DAY, None)


# ---------------------------------------------------------------- the notation and the file

LETTER = """※提交前请核对【 】处
申诉书

【作出问责决定的党组织，写全称】：

申诉人：【姓名】，现任【单位全称】副镇长。
一、请求事项
请求撤销。
（一）关于集体决策
一、这是一句完整的话，所以不是标题。
本人认为：
特此申诉。

附件：1. 【决定书复印件】
2. 【会议记录】

申诉人：【签名】
2026年3月20日
"""


def test_each_line_is_what_it_looks_like() -> None:
    assert [line.kind for line in from_text(LETTER)] == [
        "title",
        "addressee",
        "body",
        "heading",
        "body",
        "subheading",
        "body",
        "body",
        "body",
        "attachments",
        "attachment",
        "signature",
        "signature",
    ]
    lines = {line.text: line.number for line in from_text(LETTER)}
    assert lines["申诉书"] == 2
    assert lines["2026年3月20日"] == 18


@pytest.mark.parametrize(
    ("ending", "signed"),
    [
        ("此致\n敬礼！\n申请人：张三\n二〇二六年三月一日", ["申请人：张三", "二〇二六年三月一日"]),
        ("特此说明。\n\n某镇党委（盖章）：\n【日期】", ["【日期】"]),
        ("特此说明。\n【签名】\n【    年  月  日】", ["【签名】", "【    年  月  日】"]),
        ("最后一句话没有署名。", []),
        ("证人：张三说他看见了。", []),
    ],
)
def test_the_end_is_forgiving(ending: str, signed: list[str]) -> None:
    lines = from_text(f"标题\n正文一句。\n{ending}")
    assert [line.text for line in lines if line.kind == "signature"] == signed


def test_the_file_is_laid_out_as_an_official_document() -> None:
    content = to_docx(LETTER)
    document = Document(io.BytesIO(content))
    section = document.sections[0]
    assert [round(size.mm) for size in (section.page_width, section.page_height)] == [210, 297]
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(m.mm) for m in margins] == [37, 35, 28, 26]
    styles = {p.text: p.style for p in document.paragraphs}
    assert styles["申诉书"].name == "Title"
    assert styles["一、请求事项"].name == "Heading 1"
    assert styles["（一）关于集体决策"].name == "Heading 2"
    fonts = {
        text: (
            style.element.rPr.rFonts.get(qn("w:eastAsia")),
            style.font.size,
            style.paragraph_format.alignment,
        )
        for text, style in styles.items()
    }
    assert fonts["申诉书"] == ("方正小标宋简体", Pt(22), WD_ALIGN_PARAGRAPH.CENTER)
    assert fonts["一、请求事项"][:2] == ("黑体", Pt(16))
    assert fonts["（一）关于集体决策"][:2] == ("楷体_GB2312", Pt(16))
    assert fonts["请求撤销。"][:2] == ("仿宋_GB2312", Pt(16))
    body = styles["请求撤销。"]
    assert body.paragraph_format.line_spacing == Pt(28)
    indent = body.element.pPr.find(qn("w:ind"))
    assert indent.get(qn("w:firstLineChars")) == "200"
    for text in ("申诉人：【签名】", "2026年3月20日"):
        assert fonts[text][2] == WD_ALIGN_PARAGRAPH.RIGHT
        assert styles[text].element.pPr.find(qn("w:ind")).get(qn("w:rightChars")) == "400"
    texts = [p.text for p in document.paragraphs]
    assert texts.index("附件：1. 【决定书复印件】") < texts.index("申诉人：【签名】")
    assert "※提交前请核对【 】处" not in texts
    footer = section.footer.paragraphs[0]
    assert footer.text == "— 1 —"
    assert "PAGE" in footer._p.xml


def test_blanks_are_yellow_and_nothing_else_is() -> None:
    runs = [run for p in document_of(LETTER).paragraphs for run in p.runs]
    yellow = [run.text for run in runs if run.font.highlight_color == WD_COLOR_INDEX.YELLOW]
    assert yellow == re.findall("【[^】]*】", LETTER)[1:]


def test_the_file_says_nothing_of_who_made_it() -> None:
    content = to_docx(LETTER)
    properties = Document(io.BytesIO(content)).core_properties
    assert properties.title == "申诉书"
    assert properties.author == properties.last_modified_by == properties.comments == ""
    assert properties.created is None
    assert properties.modified is None
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = package.namelist()
        everything = b"".join(package.read(name) for name in names)
        language = package.read("word/styles.xml").decode()
    assert not [n for n in names if "thumbnail" in n or "customXml" in n or n.endswith("app.xml")]
    assert b"python" not in everything
    assert b"Macintosh" not in everything
    assert 'w:lang w:val="zh-CN" w:eastAsia="zh-CN"' in language


INJECTIONS = [
    "<script>alert(1)</script>", '<img src=x onerror="alert(1)">', "<svg onload=alert(1)>", "</w:t></w:r></w:p>",
    "<w:instrText>DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe</w:instrText>", "{ INCLUDETEXT \"file:///etc/passwd\" }",
    "=cmd|' /C calc'!A0", "]]>", "<![CDATA[x]]>", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "&lt;b&gt;", "&amp;amp;", "&#60;script&#62;", "{{ 7*7 }}", "{% for x in y %}", "{# 用途 #}", "${7*7}", "#{7*7}",
    "[点我](javascript:alert(1))", "![x](http://evil.example/a.png)", "http://evil.example/<b>", "`rm -rf`", "$(id)",
    "'; DROP TABLE drafts; --", "%s %d {0} {name}", "\\x00\\u0000", "C:\\\\con\\\\aux", "../../etc/passwd",
    "\u202e反过来\u202c", "\u200b零宽\ufeff", "e\u0301\u0301\u0301", "👨‍👩‍👧‍👦🇨🇳", "𠮷野家𪚥", "\t制表\t符", "①②③★※",
    "—— ……～", "【【【】】】", "】未配对【", "附件：：：", "一、、、",
]  # fmt: skip


@pytest.mark.parametrize("injection", INJECTIONS)
def test_what_is_typed_stays_text(injection: str, drafter: Drafter, advices: dict[str, Advice]) -> None:
    document = document_of(
        f"标题{injection}\n收件{injection}：\n一、{injection}\n正文{injection}完。\n署名人：{injection}"
    )
    words = "\n".join(p.text for p in document.paragraphs)
    for part in (f"标题{injection}", f"正文{injection}完。"):
        assert part in words
    names = {element.tag for element in document.element.body.iter()} - {qn("w:tab")}
    plain = document_of("标题\n收件：\n一、甲\n正文【】完。\n署名人：乙")
    assert names <= {element.tag for element in plain.element.body.iter()}
    story = f"我说过{injection}这句话。"
    draft = drafter.draft("statement", story, advices["免责"], DAY, None)
    assert story in "\n".join(p.text for p in document_of(draft.text).paragraphs)


def test_there_are_forty_injections() -> None:
    assert len(set(INJECTIONS)) == 40


def test_characters_that_no_file_can_hold_are_dropped() -> None:
    controls = "".join(map(chr, range(32))).replace("\n", "").replace("\r", "").replace("\t", "")
    words = document_of(f"标题\n前{controls}\x7f\ufffe\uffff\ud800后").paragraphs[1].text
    assert words == "前\x7f后"


@pytest.mark.parametrize("text", ["", "  \n\t\n　", "※只有提示", "\x00\x01"])
def test_nothing_to_lay_out_gets_one_sentence(text: str) -> None:
    with pytest.raises(DraftError, match="文书是空的"):
        to_docx(text)


def test_a_very_long_text_is_laid_out_and_a_longer_one_names_its_line() -> None:
    long = "标题\n" + "\n".join(f"{n}经过" + "很长" * 20 for n in range(2000))
    assert len(document_of(long).paragraphs) == 2001
    assert len(document_of("标" * 5000).core_properties.title) == 255
    with pytest.raises(DraftError, match="从第2行起超过了10万字"):
        to_docx("标题\n" + "长" * LONGEST)
    with pytest.raises(DraftError, match=f"从第{MOST_LINES + 1}行起超过了{MOST_LINES}行"):
        to_docx("行\n" * (MOST_LINES + 5))


# ---------------------------------------------------------------- the command


def run(parts: Parts, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "zeming"), "draft", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "ZEMING_DATA": str(parts.settings.data)},
        timeout=120,
        check=False,
    )


def test_the_command_writes_a_file_and_says_what_else_there_is(parts: Parts, tmp_path: Path) -> None:
    target = tmp_path / "申诉书.docx"
    options = ("--kind", "appeal", "--received", "2026-02-25", "--date", "2026-03-20", "--out", str(target))
    done = run(parts, DECIDED, *options)
    assert done.returncode == 0, done.stderr
    assert "《申诉书》已写入" in done.stderr
    assert "○ 情况说明（explanation）" in done.stderr
    words = "\n".join(p.text for p in Document(str(target)).paragraphs)
    assert "于2026年2月25日收到该决定" in words
    assert list(tmp_path.iterdir()) == [target]


def test_the_command_explains_what_it_cannot_write(parts: Parts, tmp_path: Path) -> None:
    refused = run(parts, DECIDED, "--out", str(tmp_path / "申诉书.pdf"))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "以 .docx 或 .txt 结尾" in refused.stderr
