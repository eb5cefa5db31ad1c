"""Receipts of answers, and answers made again from them: real parts, real files, real commands."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from assistant import holdings
from assistant.cli import app
from assistant.cli_replay import keep_receipt
from assistant.conversation import Conversation, make_listener
from assistant.errors import InputFileError, ReceiptError
from assistant.model import Advice, Question
from assistant.prompts import Prompts
from assistant.receipts import FORMAT, Receipt, digest_of, file_name, read_receipt, receipt, sha256, written
from assistant.replaying import Replay, Replayer, exported, receipt_file
from assistant.settings import Settings
from assistant.training import state_of
from assistant.wiring import Parts, build

DAY = date(2026, 11, 2)
WHEN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
STORY = "领导让我背锅，群里没回消息被通报了，2026年9月10日收到的决定，这算问责吗？"
LEADER = (
    "我是县应急局局长，辖区内一家化工厂爆炸死了三个人，我半年没有组织过检查，"
    "2026年9月10日收到问责决定，给了我党内严重警告，怎么申诉？"
)
RULE = "说的是工作小瑕疵或者私事，没有失职失责的实质"
REPORT = "我要举报我们乡长收受礼金，怎么举报，请受理"
PRIVATE = ("13812345678", "11010519491231002X", "6222021234567890128", "zhang.san@example.cn")


@pytest.fixture(scope="module")
def replayer(parts: Parts) -> Replayer:
    return Replayer(parts, Prompts(parts.settings.prompts))


def _asked(parts: Parts, text: str, **more: Any) -> Advice:
    return parts.advisor.ask(Question(text, DAY, **more))


def _made(parts: Parts, advice: Advice, without_words: bool = False) -> dict[str, Any]:
    return receipt(advice, parts.corpus, parts.versions, WHEN, without_words)


@pytest.fixture(scope="module")
def made(parts: Parts) -> dict[str, Any]:
    return _made(parts, _asked(parts, STORY))


@pytest.fixture(scope="module")
def leader(parts: Parts) -> dict[str, Any]:
    return _made(parts, _asked(parts, LEADER))


def _read(made: Mapping[str, Any]) -> Receipt:
    return read_receipt(written(made))


def _sealed(made: Mapping[str, Any]) -> Receipt:
    """A receipt that was changed and given a new digest."""
    bare = {key: value for key, value in made.items() if key != "sha256"}
    return _read({**bare, "sha256": digest_of(bare)})


# ---------------------------------------------------------------- what is in one


def test_a_receipt_names_all_that_the_answer_rests_on(parts: Parts, leader: dict[str, Any]) -> None:
    assert leader["receipt"] == "zeming"
    assert leader["format"] == FORMAT
    assert leader["made"] == "2026-11-02T09:30:00+00:00"
    assert leader["question"]["text"] == LEADER
    assert leader["question"]["text_sha256"] == sha256(LEADER)
    assert leader["question"]["received_in_text"] == "2026-09-10"
    assert leader["kind"] == "scenario"
    assert leader["determination"]["scope"] == "in"
    assert any(step["deadline"] == "2026-10-10" for way in leader["routes"] for step in way["steps"])
    assert all(fact["source"] for fact in leader["facts"])
    assert any(found["row"] and found["provisions"] for found in leader["findings"])
    assert leader["assisted"] is None
    assert [c["passed"] for c in leader["checks"]] == [True] * len(leader["checks"])
    versions = leader["versions"]
    assert versions["learned"] == state_of(parts.settings.knowledge)
    assert versions["embedding"].startswith("e5-small-")
    assert "scenario.md.j2" in versions["prompts"]
    assert {"facts.yaml", "rules/05-scope.yaml", "instruments/wenze-2019.yaml"} <= set(versions["knowledge"])
    assert set(versions["documents"]) == {d.id for d in holdings.library_of(parts.settings).documents()}
    for cited in leader["citations"]:
        provision = parts.corpus.provision(cited["id"])
        assert cited["sha256"] == sha256(cited["text"])
        assert cited["text"] in (provision.digest, provision.text)
        assert cited["label"] == provision.label
    seven = next(c for c in leader["citations"] if c["id"].startswith("wenze-2019#"))
    assert (seven["effective_from"], seven["effective_to"]) == ("2019-09-01", None)


def test_the_digest_is_over_the_canonical_json_of_everything_else(made: dict[str, Any]) -> None:
    rest = {key: value for key, value in made.items() if key != "sha256"}
    canonical = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert made["sha256"] == sha256(canonical)
    assert file_name(made) == f"答复凭据-20261102-093000-{made['sha256'][:8]}.json"


def test_the_same_answer_has_the_same_receipt_but_for_the_time(parts: Parts, made: dict[str, Any]) -> None:
    again = receipt(_asked(parts, STORY), parts.corpus, parts.versions, datetime(2026, 11, 3, tzinfo=UTC))
    assert {k: v for k, v in again.items() if k not in ("made", "sha256")} == {
        k: v for k, v in made.items() if k not in ("made", "sha256")
    }
    assert again["sha256"] != made["sha256"]


def test_private_numbers_are_never_in_it(parts: Parts, replayer: Replayer) -> None:
    told = f"{LEADER}我的电话{PRIVATE[0]}，身份证{PRIVATE[1]}，卡号{PRIVATE[2]}，邮箱{PRIVATE[3]}。"
    text = written(_made(parts, _asked(parts, told)))
    assert not any(number in text for number in PRIVATE)
    assert "〔手机号〕" in text
    found = replayer.replay(read_receipt(text))
    assert found.same, found.differences  # the notice that numbers were hidden is not part of the answer


@pytest.mark.parametrize(
    "text", ["问责决定不服多久内可以申诉？", "帮我写一首关于春天的诗", "群里打听谁举报的我，想整整他"]
)
def test_answers_about_rules_and_refusals_have_receipts_too(
    parts: Parts, replayer: Replayer, text: str
) -> None:
    advice = _asked(parts, text)
    assert advice.determination is None
    found = replayer.replay(_read(_made(parts, advice)))
    assert found.same, found.differences
    assert {"怎样答的", "答复的文字"} <= set(found.alike)
    bare = _read(_made(parts, advice, without_words=True))
    assert replayer.replay(bare).mode == "sources"
    assert replayer.replay(bare).same
    assert "答复的文字" in replayer.replay(bare, text).alike


def test_of_a_report_of_wrongdoing_there_is_no_receipt(parts: Parts, replayer: Replayer) -> None:
    advice = _asked(parts, REPORT)
    assert not advice.keep
    with pytest.raises(ReceiptError, match="内容不留"):
        _made(parts, advice)
    with pytest.raises(ReceiptError, match="内容不留"):
        receipt_file(advice, replayer, WHEN)


def test_what_was_confirmed_and_settled_comes_back(parts: Parts, replayer: Replayer) -> None:
    confirmed = {"subject": "党的领导干部", "measure": ("诫勉", "通报"), "consequence": "unknown"}
    advice = _asked(
        parts,
        STORY,
        confirmed=confirmed,
        settled=frozenset({"own_violation"}),
        received=date(2026, 9, 30),
        conduct=(date(2018, 5, 1), date(2018, 5, 31)),
    )
    read = _read(_made(parts, advice))
    assert read.question.confirmed == confirmed
    assert read.question.settled == ("own_violation",)
    assert replayer.replay(read).same


def test_a_turn_of_a_conversation_is_made_again(parts: Parts, replayer: Replayer) -> None:
    talk = Conversation(parts.advisor, make_listener(parts.settings))
    talk.say(LEADER, DAY)
    for advice in (talk.say("不对，我是副局长", DAY), talk.say("如果我当时组织过检查呢", DAY)):
        assert advice.understood
        for bare in (False, True):
            read = _read(_made(parts, advice, bare))
            assert read.understood
            found = replayer.replay(read, advice.question.text if bare else None)
            assert found.same, found.differences
            assert "答复的文字" in found.alike


_SPANS = (
    "0-1f 7f-9f 200b-200b 202e-202e 2028-2029 feff-feff fffe-ffff d800-d80f dc00-dc0f 300-33f 1f600-1f67f "
    "20000-201ff e0020-e007f fe00-fe0f"
)
ODD = "".join(
    chr(code)
    for first, last in (s.split("-") for s in _SPANS.split())
    for code in range(int(first, 16), int(last, 16) + 1)
)


def test_a_thousand_odd_characters(parts: Parts, replayer: Replayer, tmp_path: Path) -> None:
    told = LEADER + (ODD + ODD)[:1000]
    text = written(_made(parts, _asked(parts, told)))
    (tmp_path / "凭据.json").write_text(text, "utf-8")
    read = read_receipt((tmp_path / "凭据.json").read_text("utf-8"))
    assert replayer.replay(read).same
    bare = _read(_made(parts, _asked(parts, told), without_words=True))
    assert replayer.replay(bare, told).mode == "words"


# ---------------------------------------------------------------- without the words


def test_without_words_nothing_of_the_story_is_in_it(parts: Parts) -> None:
    advice = _asked(parts, LEADER, conduct=(date(2018, 5, 1), date(2018, 5, 31)))
    made = _made(parts, advice, without_words=True)
    assert made["question"]["text"] is None
    assert made["answer"] is None
    assert made["question"]["text_sha256"] == sha256(LEADER)
    assert made["answer_sha256"] == sha256(advice.answer)
    told = json.dumps({k: v for k, v in made.items() if k not in ("citations", "routes")}, ensure_ascii=False)
    quotes = {f.evidence for f in advice.facts if len(f.evidence) > 4}
    assert quotes
    assert not [q for q in quotes if q in told]
    assert "化工厂" not in told


def test_without_words_the_tables_are_run_over_the_facts(parts: Parts, replayer: Replayer) -> None:
    found = replayer.replay(_read(_made(parts, _asked(parts, LEADER), without_words=True)))
    assert found.mode == "facts"
    assert found.same, found.differences
    assert {"结论", "期限", "各步认定", "救济途径"} <= set(found.alike)
    assert {"答复的文字", "读到的事实"} <= set(found.left_out)


def test_the_words_can_be_given_later_and_no_others(parts: Parts, replayer: Replayer) -> None:
    told = f"{LEADER}电话{PRIVATE[0]}"
    bare = _read(_made(parts, _asked(parts, told), without_words=True))
    found = replayer.replay(bare, f"{told}\n")  # as it stands in a file
    assert found.mode == "words"
    assert found.same, found.differences
    assert "答复的文字" in found.alike
    with pytest.raises(ReceiptError, match="不是同一段"):
        replayer.replay(bare, told.replace("三个人", "两个人"))


# ---------------------------------------------------------------- reading: what is wrong is one sentence


def _sentence(text: str) -> str:
    with pytest.raises(ReceiptError) as caught:
        read_receipt(text)
    said = str(caught.value)
    assert said.endswith("。")
    assert "\n" not in said
    assert len(said) < 120
    return said


def _other(value: Any) -> Any:
    """A value of the same kind that is another."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "改"
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return value[:-1] if value else ["改"]
    if isinstance(value, dict):
        key = next(iter(value))
        return {**value, key: _other(value[key])}
    return "改"


def test_whatever_is_changed_is_found(made: dict[str, Any]) -> None:
    for key in made:
        changed = copy.deepcopy(made)
        changed[key] = _other(changed[key])
        assert changed != made, key
        said = _sentence(written(changed))
        expected = {"receipt": "不是责明的答复凭据", "format": "格式"}.get(key, "校验值对不上")
        assert expected in said, key
        less = {k: v for k, v in made.items() if k != key}
        _sentence(written(less))
    _sentence(written({**made, "more": 1}))


def test_one_changed_character_anywhere_is_found(made: dict[str, Any]) -> None:
    text = written(made)
    for at in range(200, len(text), len(text) // 60):
        other = "0" if text[at] != "0" else "1"
        if not text[at].isspace():
            _sentence(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t[: len(t) // 2], "不是完整的 JSON"),
        (lambda t: "", "不是完整的 JSON"),
        (lambda t: "[" * 100_000, "不是完整的 JSON"),
        (lambda t: "1" * 10_000, "JSON"),
        (lambda t: "\x00\x01" + t, "不是完整的 JSON"),
        (lambda t: "[]", "不是责明的答复凭据"),
        (lambda t: "{}", "不是责明的答复凭据"),
        (lambda t: '"zeming"', "不是责明的答复凭据"),
        (lambda t: t.replace('"format": 1', '"format": 2'), "格式是“2”"),
        (lambda t: t.replace('"format": 1', '"format": true'), "格式是“True”"),
        (lambda t: t.replace('"format": 1', '"format": [["甲"]]'), "格式"),
        (lambda t: t.replace('"supposed": false', '"supposed": NaN'), "不是数的数"),
        (lambda t: t.replace('"supposed": false', '"supposed": "\\ud800"'), "校验值"),
        (lambda t: t.replace('"supposed": false', '"supposed": true, "supposed": false'), "写了两次"),
        (lambda t: t.replace('"sha256": "', '"sha256": "0'), "校验值"),
        (lambda t: " " * 16_000_001, "太大"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    made: dict[str, Any], change: Callable[[str], str], words: str
) -> None:
    assert words in _sentence(change(written(made)))


def test_another_shape_with_a_right_digest_is_refused(made: dict[str, Any]) -> None:
    for key, value in (("facts", [{"name": 1}]), ("question", {}), ("made", "昨天"), ("answer", 3), ("x", 1)):
        with pytest.raises(ReceiptError, match="不合格式"):
            _sealed({**made, key: value})


def test_layout_is_no_change(made: dict[str, Any]) -> None:
    squeezed = json.dumps(made, sort_keys=True, separators=(",", ":"))  # ASCII, another order
    assert read_receipt(squeezed).sha256 == made["sha256"]


# ---------------------------------------------------------------- made again


def test_made_again_it_is_the_same(replayer: Replayer, leader: dict[str, Any], made: dict[str, Any]) -> None:
    for one in (leader, made):
        read = _read(one)
        found = replayer.replay(read)
        assert found.same, found.differences
        assert found.mode == "words"
        assert not found.changes
        assert {"结论", "适用条款", "救济途径", "期限", "读到的事实", "答复的文字"} <= set(found.alike)
        said = replayer.report(read, found)
        assert "重做的结果一样" in said
        assert "都与出凭据时相同" in said


def test_a_receipt_forged_with_a_new_digest_comes_out_otherwise(
    replayer: Replayer, leader: dict[str, Any]
) -> None:
    forged = copy.deepcopy(leader)
    forged["determination"]["scope"] = "out_general_work"
    forged["routes"][0]["steps"][-1]["deadline"] = "2027-01-10"
    forged["facts"] = forged["facts"][1:]
    forged["answer"] = forged["answer"].replace("属于问责范围", "不属于问责范围", 1)
    read = _sealed(forged)
    found = replayer.replay(read)
    parts = {d.part: d for d in found.differences}
    assert set(parts) == {"scope", "deadlines", "facts", "answer"}
    assert parts["scope"].changed == (("", "属一般工作问题，不在问责范围内", "属于问责范围"),)
    assert len(parts["facts"].gained) == 1
    assert "找不到不一样的原因" in replayer.report(read, found)


# ---------------------------------------------------------------- after the knowledge has changed


@dataclass(frozen=True)
class Copied:
    """A copy of the knowledge, the wording and the data of the tests, to be changed."""

    settings: Settings

    def change(self, name: str, old: str, new: str) -> None:
        path = self.settings.knowledge.parent / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    def built(self) -> Replayer:
        """The assistant on the copy; what was learned stays, as if nothing that is learned from had changed."""
        models = self.settings.data / "model"
        (kept,) = models.glob("*.npz")
        kept.rename(models / f"{state_of(self.settings.knowledge)}.npz")
        titles = {d.id: d.title for d in holdings.library_of(self.settings).documents()}
        return Replayer(build(self.settings), Prompts(self.settings.prompts), titles)


@pytest.fixture
def copied(parts: Parts, tmp_path: Path) -> Copied:
    settings = parts.settings
    shutil.copytree(settings.knowledge, tmp_path / "knowledge")
    shutil.copytree(settings.prompts, tmp_path / "prompts")
    data = tmp_path / "data"
    data.mkdir()
    for name in ("index", "model", "words", "hints.json", "library.db"):
        source = settings.data / name
        if source.is_dir():
            shutil.copytree(source, data / name)
        elif source.exists():
            shutil.copy(source, data / name)
    for path in (data / "model").glob("*.npz"):
        if path.stem != state_of(settings.knowledge):
            path.unlink()
    (data / "models").symlink_to(settings.data / "models")
    copy = settings.model_copy(
        update={"knowledge": tmp_path / "knowledge", "prompts": tmp_path / "prompts", "data": data}
    )
    return Copied(copy)


def _names(found: Replay) -> list[tuple[str, str, str]]:
    return [(c.kind, c.name, c.how) for c in found.changes]


def test_a_cited_digest_and_another_one_and_a_template_changed(
    parts: Parts, copied: Copied, leader: dict[str, Any]
) -> None:
    digest = parts.corpus.provision("wenze-2019#20").digest
    assert "wenze-2019#20" in {c["id"] for c in leader["citations"]}
    assert not [c for c in leader["citations"] if c["id"].startswith("faguan-2019#")]
    start = digest[:12]
    copied.change("knowledge/instruments/wenze-2019.yaml", start, f"按规定{start}")
    other = next(p for p in parts.corpus.provisions() if p.instrument.id == "faguan-2019")
    copied.change("knowledge/instruments/faguan-2019.yaml", other.digest[:12], f"按规定{other.digest[:12]}")
    copied.change("prompts/scenario.md.j2", "怎么申辩、申诉", "怎样申辩、申诉")
    replayer = copied.built()
    read = _read(leader)
    found = replayer.replay(read)
    assert _names(found) == [
        ("knowledge", "instruments/faguan-2019.yaml", "changed"),
        ("knowledge", "instruments/wenze-2019.yaml", "changed"),
        ("prompts", "scenario.md.j2", "changed"),
    ]
    differing = {d.part: d for d in found.differences}
    assert {"words", "answer"} <= set(differing)
    assert not {"scope", "clauses", "routes", "deadlines", "facts", "findings"} & set(differing)
    ((label, before, after),) = differing["words"].changed
    assert label == parts.corpus.provision("wenze-2019#20").label
    assert (before, after) == (digest, digest.replace(start, f"按规定{start}", 1))
    said = replayer.report(read, found)
    assert "改了 knowledge/instruments/wenze-2019.yaml（法规的要旨）" in said
    assert "改了 prompts/scenario.md.j2（措辞）" in said
    assert "按规定" in said
    short = _read(_made(parts, _asked(parts, "诫勉的影响期多长？")))  # nothing that was changed is in it
    assert "wenze-2019#20" not in {c.id for c in short.citations}
    untouched = replayer.replay(short)
    assert untouched.same, untouched.differences
    assert _names(untouched) == _names(found)
    assert "但不影响这个答复" in replayer.report(short, untouched)


def test_a_rule_changed(parts: Parts, copied: Copied) -> None:
    advice = _asked(parts, STORY, confirmed={"ordinary_matter": "yes"})
    made = _made(parts, advice)
    assert any(RULE in f["reason"] and f["step"] == "scope" for f in made["findings"])
    copied.change(
        "knowledge/rules/05-scope.yaml",
        f"reason: {RULE}\n    because: [wenze-2019#7]\n    then: {{scope: out_general_work}}",
        f"reason: {RULE}\n    because: [wenze-2019#7]\n    then: {{scope: in}}",
    )
    replayer = copied.built()
    bare = _made(parts, advice, without_words=True)
    for read in (_read(made), _read(bare)):
        found = replayer.replay(read)
        differing = {d.part: d for d in found.differences}
        ((_, before, after),) = differing["scope"].changed
        assert before == "属一般工作问题，不在问责范围内"
        # with its words the facts are read anew, as one set, in which the verdicts of the tables have a say
        assert after != before if found.mode == "words" else after == "属于问责范围"
        assert ("knowledge", "rules/05-scope.yaml", "changed") in _names(found)
        said = replayer.report(read, found)
        assert "改了 knowledge/rules/05-scope.yaml（决策表）" in said
        assert "学来的读法" in said


def test_a_provision_and_a_fact_are_no_longer_there(
    parts: Parts, copied: Copied, leader: dict[str, Any]
) -> None:
    """What was written for other knowledge is compared all the same."""
    gone = copy.deepcopy(leader)
    gone["citations"][0] = {**gone["citations"][0], "id": "wenze-2019#99"}
    gone["facts"].append({**gone["facts"][0], "name": "no_such_fact"})
    gone["versions"]["knowledge"].pop("facts.yaml")
    gone["versions"]["knowledge"]["rules/99-gone.yaml"] = "0"
    gone["versions"]["program"] = "0.0.9"
    replayer = Replayer(parts, Prompts(parts.settings.prompts))
    found = replayer.replay(_sealed(gone))
    differing = {d.part: d for d in found.differences}
    assert "知识库里已经没有这一条" in differing["words"].lost[0]
    assert differing["facts"].lost[0].startswith("no_such_fact")
    assert _names(found) == [
        ("program", "0.1.0", "changed"),
        ("knowledge", "facts.yaml", "added"),
        ("knowledge", "rules/99-gone.yaml", "removed"),
    ]


def test_documents_were_added(parts: Parts, copied: Copied, made: dict[str, Any], tmp_path: Path) -> None:
    paper = tmp_path / "某县值班值守管理办法.txt"
    paper.write_text(
        "某县值班值守管理办法\n（2026年1月1日起施行）\n第一条　为了规范值班值守，制定本办法。\n"
        "第二条　值班人员应当在岗。\n第三条　不在岗的，给予批评教育。\n第四条　本办法自2026年1月1日起施行。\n",
        "utf-8",
    )
    (outcome,) = holdings.add(copied.settings, [paper])
    assert outcome.document
    replayer = copied.built()
    found = replayer.replay(_read(made))
    assert ("documents", outcome.document.id, "added") in _names(found)
    assert [name for kind, name, _ in _names(found) if kind != "documents"] == []
    said = replayer.report(_read(made), found)
    assert f"多了 文件《{outcome.document.title}》（{outcome.document.id}）" in said
    back = Replayer(parts, Prompts(parts.settings.prompts))
    later = _made(replayer.parts, _asked(replayer.parts, STORY))  # type: ignore[arg-type]
    assert ("documents", outcome.document.id, "removed") in _names(back.replay(_read(later)))


def test_files_exchanged_under_a_running_program_are_not_attested(copied: Copied) -> None:
    replayer = copied.built()
    path = copied.settings.prompts / "labels.yaml"
    path.write_bytes(path.read_bytes())
    with pytest.raises(ReceiptError, match="启动以后改动过"):
        _ = replayer.parts.versions


# ---------------------------------------------------------------- with a language model's help


@dataclass(frozen=True)
class Helped(Advice):
    """An advice that a language model had a part in."""

    assisted: Any = None


def test_what_a_model_had_helped_with_is_made_again_from_its_facts(parts: Parts, replayer: Replayer) -> None:
    advice = _asked(parts, LEADER)
    facts = (*advice.facts, replace(advice.facts[0], name="leaders_untouched", value="yes", source="model"))
    fields = {name: getattr(advice, name) for name in advice.__dataclass_fields__}
    assisted = {
        "model": "某模型",
        "facts_kept": 1,
        "prompts": {"facts": "1"},
        "note": "辖区内一家化工厂",
        "seconds": 1.5,
    }
    helped = Helped(**{**fields, "facts": facts, "answer": "换了说法的答复", "assisted": assisted})
    read = _read(_made(parts, helped))
    assert read.assisted == assisted
    found = replayer.replay(read)
    assert found.mode == "facts"
    assert "答复的文字" in found.left_out
    assert not {"scope", "clauses", "deadlines", "findings"} & {d.part for d in found.differences}
    said = replayer.report(read, found)
    assert "当时用了大模型（某模型）" in said
    assert "不用大模型" in said
    bare = _read(_made(parts, helped, without_words=True))
    assert bare.assisted == {**assisted, "note": ""}


@pytest.mark.parametrize("sentences", [0, 3])
def test_where_a_model_only_worded_the_answer_the_rest_is_made_from_the_start(
    parts: Parts, replayer: Replayer, sentences: int
) -> None:
    advice = _asked(parts, STORY)
    fields = {name: getattr(advice, name) for name in advice.__dataclass_fields__}
    fields["answer"] = "换了说法的答复" if sentences else advice.answer
    assisted = {
        "model": "某模型",
        "facts_kept": 0,
        "facts_open": [],
        "terms": [],
        "sentences_kept": sentences,
    }
    read = _read(_made(parts, Helped(**{**fields, "assisted": assisted})))
    found = replayer.replay(read)
    assert found.mode == "words"
    assert found.same, found.differences
    assert "答复的文字" in (found.left_out if sentences else found.alike)
    assert "没有参与读事实" in replayer.report(read, found)


# ---------------------------------------------------------------- the file of an earlier answer


def test_an_earlier_answer_as_a_file(parts: Parts, replayer: Replayer) -> None:
    advice = _asked(parts, LEADER)
    kept = replace(  # as it comes back out of the records
        advice, passages=(), checks=(), citations=tuple(replace(c, original=None) for c in advice.citations)
    )
    name, kind, content = receipt_file(kept, replayer, WHEN)
    assert name.startswith("答复凭据-20261102-")
    assert kind == "application/json"
    read = read_receipt(content.decode())
    assert replayer.replay(read).same
    assert len(read.checks) == len(advice.checks)
    older = replace(advice, answer=advice.answer.replace("结论", "看法"))  # made from other wording
    with pytest.raises(ReceiptError, match="答复的文字"):
        exported(older, replayer, WHEN)


# ---------------------------------------------------------------- the commands


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def zeming(parts: Parts) -> Run:
    command = Path(sys.executable).parent / "zeming"
    environment = {**os.environ, "ZEMING_DATA": str(parts.settings.data)}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False
        )

    return run


def test_ask_writes_one_and_replay_makes_it_again(
    parts: Parts, zeming: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZEMING_DATA", str(parts.settings.data))

    def replayed(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, ["replay", *map(str, arguments)])

    file = tmp_path / "凭据.json"
    done = zeming("ask", "--date", "2026-11-02", "--receipt", file, "--without-words", LEADER)
    assert done.returncode == 0, done.stderr
    assert "答复凭据已写入" in done.stderr
    read = read_receipt(file.read_text("utf-8"))
    assert read.sha256[:16] in done.stderr
    (tmp_path / "原话.txt").write_text(f"{LEADER}\n", "utf-8")
    again = replayed(file, "--words", tmp_path / "原话.txt")
    assert again.exit_code == 0, again.output
    assert "重做的结果一样" in again.stdout
    forged = json.loads(file.read_text("utf-8"))
    del forged["sha256"]
    forged["determination"]["subject"] = "党组织"
    other = tmp_path / "改过.json"
    other.write_text(json.dumps({**forged, "sha256": digest_of(forged)}), "utf-8")
    differs = replayed(other, "--json")
    assert differs.exit_code == 1, differs.output
    shown = json.loads(differs.stdout)
    assert not shown["same"]
    assert [d["part"] for d in shown["differences"]] == ["subject"]
    assert shown["mode"] == "facts"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["replay", "没有这个文件.json"], 2, "读不了文件"),
        (["replay", "坏的.json"], 2, "不是完整的 JSON"),
        (["replay", "乱码.json"], 2, "UTF-8"),
        (["replay"], 2, "写得不对"),
        (["ask", "--without-words", "诫勉影响期多长"], 1, "--receipt"),
        (["ask", "--batch", "坏的.json", "--out", "x", "--receipt", "y"], 1, "--batch"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    zeming: Run, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "坏的.json").write_text('{"receipt": "zeming"', "utf-8")
    (tmp_path / "乱码.json").write_bytes("凭据".encode("gb18030"))
    done = zeming(*(str(tmp_path / a) if a.endswith(".json") else a for a in arguments))
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_of_a_report_no_file_is_written(parts: Parts, tmp_path: Path) -> None:
    file = tmp_path / "凭据.json"
    with pytest.raises(ReceiptError, match="内容不留"):
        keep_receipt(_asked(parts, REPORT), parts, file, without_words=False)
    assert not list(tmp_path.iterdir())
    keep_receipt(_asked(parts, LEADER), parts, file, without_words=False)
    assert read_receipt(file.read_text("utf-8")).question.text == LEADER
    with pytest.raises(InputFileError, match="写不了文件"):
        keep_receipt(_asked(parts, LEADER), parts, tmp_path / "没有" / "凭据.json", without_words=False)
