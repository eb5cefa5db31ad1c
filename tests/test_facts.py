"""Reading facts out of stories: negation, supposition, who did what, who is asked about, each fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from assistant.law.days import read_received_date
from assistant.law.hints import hints_of
from assistant.law.lexicon import Lexicon, load_lexicon
from assistant.law.reading import read_story
from assistant.law.vocabulary import FactKind, Vocabulary, load_vocabulary
from assistant.model import Fact
from assistant.settings import load_settings
from assistant.steps.facts import merge, read_facts
from tests.effort import grows_like_its_input

KNOWLEDGE = load_settings().knowledge
VOCABULARY = load_vocabulary(KNOWLEDGE)
PLAIN = load_lexicon(KNOWLEDGE, VOCABULARY)
LEXICON = replace(PLAIN, hints=hints_of(PLAIN.regexes()))  # as the assistant uses it


def read(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for fact in read_facts(text, LEXICON, VOCABULARY):
        found.setdefault(fact.name, set()).add(fact.value)
    return found


# ---------------------------------------------------------------- the engine, with an invented lexicon

PONDS = Vocabulary(
    {
        "flooded": FactKind("flooded", "漫塘", "flag", "case", ("yes", "no")),
        "fed": FactKind("fed", "喂过鸭", "flag", "asked", ("yes", "no")),
        "idle": FactKind("idle", "没喂", "flag", "asked", ("yes", "no")),
        "ordered": FactKind("ordered", "上级叫停", "flag", "case", ("yes", "no")),
        "helped": FactKind("helped", "下级动手", "flag", "case", ("yes", "no")),
        "size": FactKind("size", "鸭群", "choice", "case", ("大", "小")),
    }
)
POND_PATTERNS = """
- {fact: flooded, value: yes, any: ['漫塘', '塘水(外溢|漫出)'], negated: no}
- {fact: flooded, value: yes, any: ['水文站'], context: ['漫过堤'], confidence: 0.6}
- {fact: fed, value: yes, actor: asked, any: ['喂了?鸭']}
- {fact: idle, value: yes, actor: asked, negated: keep, any: ['没(去)?喂鸭']}
- {fact: ordered, value: yes, actor: superior, any: ['叫停']}
- {fact: helped, value: yes, actor: subordinate, any: ['捞鸭']}
- {fact: size, value: 大, any: ['一大群'], unless: ['画']}
- {fact: size, value: 小, any: ['三五只'], confidence: 0.8}
"""


@pytest.fixture(scope="module")
def ponds(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    """The real grammar and posts, with invented facts."""
    folder: Path = tmp_path_factory.mktemp("ponds")
    (folder / "lexicon").mkdir()
    macros = (KNOWLEDGE / "lexicon" / "00-macros.yaml").read_text(encoding="utf-8")
    (folder / "lexicon" / "00-macros.yaml").write_text(macros, encoding="utf-8")
    (folder / "lexicon" / "ponds.yaml").write_text(POND_PATTERNS, encoding="utf-8")
    return load_lexicon(folder, PONDS, check=True)


NEGATION = [
    ("昨晚漫塘了。", "yes"),
    ("昨晚没有漫塘。", "no"),
    ("昨晚并未发生漫塘。", "no"),
    ("谈不上漫塘，就是水满了。", "no"),
    ("没造成什么严重的漫塘。", "no"),
    ("漫塘这种事根本不存在。", "no"),
    ("不仅漫塘，路也断了。", "yes"),
    ("不料漫塘了。", "yes"),
    ("要是漫塘了怎么办？", None),
    ("如果当时下雨，就会漫塘。", None),
    ("差点漫塘。", None),
    ("生怕漫塘，连夜加固。", None),
    ("我们天天值守防止漫塘。", None),
    ("会不会漫塘？", None),
    ("有没有漫塘还不清楚。", None),
    ("条例规定漫塘要报告。", None),
    ("没去检查，结果漫塘了。", "yes"),
    ("塘水漫出来了，没人管。", "yes"),
]


@pytest.mark.parametrize(("text", "value"), NEGATION)
def test_what_is_denied_or_supposed_is_not_a_fact(ponds: Lexicon, text: str, value: str | None) -> None:
    found = {fact.value for fact in read_facts(text, ponds, PONDS)}
    assert found == ({value} if value else set())


DOERS = [
    ("我是饲养员，早上喂了鸭。", "fed", True),
    ("早上喂了鸭，我能说清楚。", "fed", True),
    ("我早上到塘边，喂了鸭。", "fed", True),
    ("领导喂了鸭，我没有去。", "fed", False),
    ("我对局长说要小心，手下喂了鸭。", "fed", False),
    ("我没去喂鸭。", "idle", True),
    ("手下没喂鸭，我不知道。", "idle", False),
    ("县里叫停了，我照办。", "ordered", True),
    ("我自己叫停了。", "ordered", False),
    ("科员捞鸭，我在岸上。", "helped", True),
    ("我捞鸭，科员在岸上。", "helped", False),
]


@pytest.mark.parametrize(("text", "name", "there"), DOERS)
def test_who_did_it_decides(ponds: Lexicon, text: str, name: str, there: bool) -> None:
    assert (name in {fact.name for fact in read_facts(text, ponds, PONDS)}) is there


def test_context_must_stand_somewhere_and_a_veto_in_the_same_piece(ponds: Lexicon) -> None:
    assert not read_facts("水文站来电话。", ponds, PONDS)
    assert read_facts("水文站来电话。水漫过堤了。", ponds, PONDS)
    assert not read_facts("墙上画着一大群鸭。", ponds, PONDS)
    assert read_facts("一大群鸭。墙上有画。", ponds, PONDS)


def test_evidence_is_the_words_of_the_text_as_they_were_written(ponds: Lexicon) -> None:
    text = "　昨 天塘 水漫出，說不清。"
    (fact,) = read_facts(text, ponds, PONDS)
    assert fact.evidence == text[fact.start : fact.start + len(fact.evidence)]
    assert fact.source == "lexicon"


def test_the_surer_value_wins_and_a_tie_of_flags_is_unknown(ponds: Lexicon) -> None:
    assert {f.value for f in read_facts("先说一大群，又说三五只。", ponds, PONDS)} == {"大"}
    assert not read_facts("有人讲漫塘了，有人讲没有漫塘。", ponds, PONDS)


def test_several_values_of_one_fact_are_kept_only_where_it_may_have_many() -> None:
    facts = [Fact("measure", v, v, "lexicon", 0.9, n) for n, v in enumerate(("诫勉", "通报"))]
    assert len(merge(facts, VOCABULARY)) == 2
    stages = [Fact("stage", v, v, "lexicon", 0.9, n) for n, v in enumerate(("调查中", "已作决定"))]
    assert [f.value for f in merge(stages, VOCABULARY)] == ["已作决定"]


# ---------------------------------------------------------------- who is asked about

ASKED = [
    ("我是白河镇的副镇长，河堤的事要问责我吗？", "self", "党的领导干部"),
    ("本人系县林业局局长，现就一事咨询。", "self", "党的领导干部"),
    ("我当街道党工委书记才一年，这回要处理我。", "self", "党的领导干部"),
    ("副乡长，管文教，学校围墙倒了要我写检查。", "self", "党的领导干部"),
    ("我们局长出国考察没请假，他会被问责吗？", "other", "党的领导干部"),
    ("我爱人在区里当卫健局副局长，昨天被约谈，她要担责吗？", "other", "党的领导干部"),
    ("我在县纪委做派驻组组长，信压了半年，要追究我吗？", "self", "纪委及其领导成员"),
    ("镇纪委书记把举报信转给了被举报人，他算什么责任？", "other", "纪委及其领导成员"),
    ("我是村支书，巡塘没去，镇里要问责我。", "self", "村(社区)干部"),
    ("社区主任把补贴名单写错了，她该受处分吗？", "other", "村(社区)干部"),
    ("我是市属供水集团的总经理，爆管了要问责我。", "self", "国企领导"),
    ("我是局里的科员，没有职务，通报上有我名字。", "self", "普通党员干部"),
    ("我是劳务派遣的窗口人员，也要问责我？", "self", "其他"),
    ("我是民主党派的副县长，按问责条例处理我对吗？", "self", "非党员公职人员"),
    ("对这个局的党组能不能问责？", "organisation", "党组织"),
    ("镇党委三年没研究过防汛，镇党委该负什么责任？", "organisation", "党组织"),
    ("书记拍板的，副书记没说话，局长签了字，现在要处分我这个副局长。", "self", "党的领导干部"),
]


@pytest.mark.parametrize(("text", "who", "subject"), ASKED)
def test_who_is_asked_about(text: str, who: str, subject: str) -> None:
    assert read_story(text, LEXICON).asked_is == who
    assert read(text).get("subject") == {subject}


def test_a_post_that_nobody_named_stays_unknown() -> None:
    assert "subject" not in read("这事会怎么处理？")


# ---------------------------------------------------------------- each fact said and not said

SAID = [
    ("party_post", "yes", "我是镇党委副书记，该担什么责？", "我是水利局的技术员，该担什么责？"),
    ("party_post", "no", "我是村主任，没担任党内职务，能问责我吗？", "我是村支书，能问责我吗？"),
    ("party_member", "yes", "我是老党员，守桥的，会处分我吗？", "我是守桥的，会处分我吗？"),
    ("party_member", "no", "我不是中共党员，能问责我吗？", "我是党员，能问责我吗？"),
    ("identity_kind", "公务员", "我是二级主任科员，要处分我。", "我是村会计，要处分我。"),
    ("identity_kind", "事业单位人员", "我是事业编的馆员，要处分我。", "我是合同工，要处分我。"),
    ("identity_kind", "国企人员", "我是城投的部门经理，要处分我。", "我是镇长，要处分我。"),
    ("identity_kind", "编外人员", "我是合同工，要处分我。", "我是镇长，要处分我。"),
    ("identity_kind", "村居干部", "我是村文书，要处分我。", "我是局长，要处分我。"),
    ("left_post", "yes", "我已经退休两年了，还要问责我吗？", "我还没退休，要问责我吗？"),
    ("post_level", "主要负责人", "我是一把手，这事怪我吗？", "我是科员，这事怪我吗？"),
    ("post_level", "分管负责人", "我是副县长，分管水利，怪我吗？", "我是县长，怪我吗？"),
    (
        "post_level",
        "参与决策的班子成员",
        "我是党委委员，不分管这块，会上跟着举了手。",
        "我是副镇长，分管这块。",
    ),
    ("post_level", "具体经办人", "我是具体经办的，没有领导职务。", "我是副镇长，分管这块。"),
    ("stage", "调查中", "调查组正在找我谈话。", "这条规定是什么意思？"),
    ("stage", "已作决定", "昨天给了我一个诫勉。", "听说要给我一个诫勉。"),
    ("stage", "已申诉", "申诉书交上去十天了。", "我想申诉，怎么写？"),
    ("stage", "未启动", "到现在也没人来查，我心里打鼓。", "县里正在查我。"),
    ("measure", "诫勉", "给了我诫勉。", "给了我一顿饭。"),
    ("measure", "通报", "全县通报批评了我。", "我打电话通知了大家。"),
    ("measure", "停职检查", "先把我停职了。", "我没有停下工作。"),
    ("measure", "责令检查", "让我写了书面检查。", "我去了检查站。"),
    ("measure", "调整职务", "把我调离了岗位。", "岗位上只有我。"),
    ("measure", "免职", "县里宣布免去我的职务，免职文件到了。", "这个药免费发的。"),
    ("measure", "责令辞职", "让我引咎辞职。", "我不想干了。"),
    ("measure", "降职", "给我降职处理。", "给我发了奖。"),
    ("measure", "党内警告", "给了我党内警告。", "给了我党内严重警告。"),
    ("measure", "党内严重警告", "给了我党内严重警告。", "给了我党内警告。"),
    ("measure", "撤销党内职务", "撤销了我的党内职务。", "我没有党内职务。"),
    ("measure", "留党察看", "留党察看一年。", "察看了现场。"),
    ("measure", "开除党籍", "把他开除党籍了。", "他入党十年。"),
    ("measure", "政务警告", "监委给我政务警告。", "给了我党内警告。"),
    ("measure", "政务记过", "给了我记过处分。", "给了我记大过处分。"),
    ("measure", "政务记大过", "给了我记大过处分。", "给了我记过处分。"),
    ("measure", "政务降级", "行政降级处分。", "水位降了。"),
    ("measure", "政务撤职", "把局长撤职了。", "撤了警戒线。"),
    ("measure", "政务开除", "他被开除公职。", "他上班去了。"),
    ("measure", "党纪处分", "给了党纪处分。", "给了表扬。"),
    ("measure", "政务处分", "给了政务处分。", "给了表扬。"),
    ("measure", "批评教育", "对我批评教育。", "给孩子上教育课。"),
    ("measure", "谈话提醒", "对我谈话提醒。", "闹钟提醒我。"),
    ("measure", "解除合同", "把我解聘了。", "合同签了一年。"),
    ("measure", "扣发待遇", "扣了我三个月绩效。", "绩效发了。"),
    ("measure", "年度考核不称职", "年度考核定为不称职。", "年度考核优秀。"),
    ("measure", "改组", "县委决定对镇党委班子改组。", "机构改革了。"),
    ("measure", "检查", "责令镇党委作出书面检查。", "镇党委开了会。"),
    ("decided_by", "党组织", "县委研究决定给我诫勉。", "县里下了雨。"),
    ("decided_by", "监察机关", "监委作出政务警告决定。", "县里下了雨。"),
    ("decided_by", "任免机关或单位", "学校决定给我处分。", "学校放假了。"),
    ("decided_by", "上级部门或专班", "创建专班发文给我诫勉。", "专班来指导过。"),
    ("not_heard", "yes", "处分前没人找我核实过，也没让我申辩。", "处分前听取了我的申辩。"),
    ("not_heard", "no", "处分前听取了我的陈述和申辩。", "处分前没让我申辩。"),
    ("wrong_decider", "yes", "专班没有干部管理权限，却给我下了诫勉。", "县委给我下了诫勉。"),
    ("falsely_accused", "yes", "举报我的内容查实是诬告，组织上澄清了。", "举报我的内容基本属实。"),
    ("note_as_ground", "yes", "市长批了句“严肃问责”，第二天就处理我。", "市长来调研，夸了我们。"),
    ("opinion_as_ground", "yes", "为了平息舆情就要处分我。", "舆情已经过去了。"),
    ("unrelated_listed", "yes", "这事跟我们科没有半点关系，也被列进通报。", "这事归我们科管。"),
    ("only_lower_punished", "yes", "只处分了两个科员。", "从局长到科员都处分了。"),
    ("leaders_untouched", "yes", "拍板的领导没事，问责名单里没有他。", "拍板的领导也被问责了。"),
    ("preset_measure", "yes", "还没查清就定了要免我。", "查清以后才决定免职。"),
    ("quota", "yes", "县里给各镇下了问责指标，每个镇至少处理一个。", "县里按事实处理了一个。"),
    ("short_time", "yes", "限三天之内拿出问责名单。", "调查组查了三个月才问责。"),
    ("repeated", "yes", "同一件事又给我一次处分。", "这是我头一回挨处分。"),
    ("instead_of_fix", "yes", "通报发完了，坏的路灯还是没人去修。", "通报之后马上修好了路灯。"),
    ("too_light", "yes", "死了人，写个检查就了事，这算问责吗？", "死了人，主管的都问责了。"),
    ("only_collective", "yes", "只给单位发了个通报，哪个人都没追究责任。", "单位和个人都追究了责任。"),
    (
        "blame_without_power",
        "yes",
        "镇上没有执法权，却追究我镇长的责任。",
        "执法权早下放给镇里了，追究我镇长的责任。",
    ),
    ("by_association", "yes", "副局长出事，全班子跟着受牵连被通报。", "副局长出事，只通报了他。"),
]


@pytest.mark.parametrize(("name", "value", "text", "other"), SAID)
def test_each_fact_is_read_where_it_is_said(name: str, value: str, text: str, other: str) -> None:
    assert value in read(text).get(name, set())
    assert value not in read(other).get(name, set())


# ---------------------------------------------------------------- the day a decision was received

TODAY = date(2026, 3, 20)  # a Friday
DAYS = [
    ("3月5日收到处分决定。", date(2026, 3, 5)),
    ("三月五号收到处分决定。", date(2026, 3, 5)),
    ("2026年3月5日送达问责决定书。", date(2026, 3, 5)),
    ("二〇二六年三月五日宣布处分。", date(2026, 3, 5)),
    ("2026-03-05收到处分决定书", date(2026, 3, 5)),
    ("去年12月30日收到诫勉决定。", date(2025, 12, 30)),
    ("12月30日收到诫勉决定。", date(2025, 12, 30)),
    ("昨天接到处分通知。", date(2026, 3, 19)),
    ("前天宣布的处分。", date(2026, 3, 18)),
    ("大前天拿到处分决定。", date(2026, 3, 17)),
    ("今天收到处分决定，怎么办？", date(2026, 3, 20)),
    ("处分决定是上个月10号宣布的。", date(2026, 2, 10)),
    ("本月2号接到问责通知。", date(2026, 3, 2)),
    ("18号收到处分决定。", date(2026, 3, 18)),
    ("25号收到处分决定。", date(2026, 2, 25)),
    ("十天前收到处分决定。", date(2026, 3, 10)),
    ("两周前收到处分决定。", date(2026, 3, 6)),
    ("上周三收到处分决定。", date(2026, 3, 11)),
    ("周一宣布的处分。", date(2026, 3, 16)),
    ("3月5日，我收到了处分决定。", date(2026, 3, 5)),
    ("3月5日收到处分决定，3月15日收到复核决定。", date(2026, 3, 15)),
    ("上个月30号宣布的处分。", None),
    ("上周收到处分决定。", None),
    ("3月5日出的事，后来收到处分决定。", None),
    ("处分决定3月5日说要下来，还没收到。", None),
    ("如果3月5日收到处分决定呢？", None),
    ("2026年4月5日收到处分决定。", None),
    ("3月5日收到一箱苹果。", None),
    ("13月45日收到处分决定。", None),
    ("我收到处分决定了。", None),
]


@pytest.mark.parametrize(("text", "day"), DAYS)
def test_the_day_a_decision_was_received(text: str, day: date | None) -> None:
    assert read_received_date(text, TODAY) == day


# ---------------------------------------------------------------- cost

LONG = {
    "a long story": "我是镇长，去年没去检查河堤，水上来以后冲走两个人，县里要问责我。" * 180,
    "no punctuation": "我没去检查河堤县里要问责我" * 460,
    "one character": "没" * 6000,
    "digits": "1" * 6000,
    "numerals": "十" * 6000,
    "posts": "主任书记局长" * 1000,
    "commas": "我，" * 3000,
    "quotes": "“问责”" * 1500,
}


@pytest.mark.parametrize("text", list(LONG.values()), ids=list(LONG))
def test_no_text_is_expensive(text: str) -> None:
    read("我是镇长，要问责我吗？")  # compiles the patterns
    assert grows_like_its_input(lambda size: read_facts(text[:size], LEXICON, VOCABULARY), 750, 6000)


@pytest.mark.parametrize("text", ["", "   ", "\n", "？！", "hello", "\u0000", "“"])
def test_empty_and_odd_texts_give_nothing_to_fail_on(text: str) -> None:
    assert not [fact for fact in read_facts(text, LEXICON, VOCABULARY) if fact.name == "subject"]
