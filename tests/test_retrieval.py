"""Finding provisions of an invented rule book by words, by meaning, and by how people ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.adapters.vector_store import VectorStore
from assistant.indexing import ensure_index
from assistant.ports import Entry
from assistant.settings import Settings
from assistant.steps.retrieval import Retriever

RULES = {
    "shiyan#1": (
        "《实验室规则》第一条 温度记录。试验员每天记录室内温度，记录保存三年。",
        ["温度本子要留几年"],
    ),
    "shiyan#2": (
        "《实验室规则》第二条 仪器损坏。损坏仪器的，应当在三日内书面报告实验室主任。",
        ["烧杯摔了怎么办"],
    ),
    "shiyan#3": (
        "《实验室规则》第三条 赔偿。故意损坏仪器的照价赔偿；操作失误的不赔偿。",
        ["不小心弄坏的要不要赔钱"],
    ),
    "shiyan#4": ("《实验室规则》第四条 关门。每晚十点关门，钥匙交给门卫。", ["最晚几点走人"]),
    "shiyan#5.1": (
        "《实验室规则》第五条第一款 复核。对赔偿决定不服的，可以向理事会申请复核。",
        ["罚我赔钱我不服找谁"],
    ),
    "shiyan#6": ("《实验室规则》第六条 电话。值班电话12388，系统名称为 LabNet。", []),
}
ENTRIES = tuple(
    entry
    for id, (text, questions) in RULES.items()
    for entry in (
        Entry(id, id, "provision", text),
        *(Entry(f"{id}?{n}", id, "asked", question) for n, question in enumerate(questions, start=1)),
    )
)


@pytest.fixture(scope="module")
def retriever(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    folder = tmp_path_factory.mktemp("retrieval")
    store = VectorStore(Settings(data=folder), make_embeddings(settings), fingerprint(settings))
    ensure_index(ENTRIES, store)
    return Retriever(ENTRIES, store)


@pytest.fixture
def words_only() -> Retriever:
    return Retriever(ENTRIES, None)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("损坏仪器几天内报告", "shiyan#2"),
        ("烧杯摔了怎么办", "shiyan#2"),  # only the way people ask has these words
        ("玻璃器皿打碎了需要向谁说明", "shiyan#2"),  # no word in common: meaning alone
        ("对赔偿决定不服", "shiyan#5.1"),
        ("對賠償決定不服，怎麼申請複核", "shiyan#5.1"),  # traditional characters
        ("赔 偿\n决 定 不 服", "shiyan#5.1"),  # broken by blanks
        ("labnet", "shiyan#6"),
        ("１２３８８是什么电话", "shiyan#6"),  # full width
    ],
)
def test_the_right_provision_comes_first(retriever: Retriever, question: str, expected: str) -> None:
    found = retriever.search(question, 3)
    assert found.passages[0].provision_id == expected
    assert found.degraded == ""


def test_each_provision_comes_once_best_first_with_its_reasons(retriever: Retriever) -> None:
    passages = retriever.search("不小心弄坏的要不要赔钱", 10).passages
    ids = [passage.provision_id for passage in passages]
    assert sorted(ids) == sorted(RULES)
    assert ids[0] == "shiyan#3"
    assert {"bm25+asked:1", "asked:1"} <= set(passages[0].why)
    scores = [passage.score for passage in passages]
    assert scores == sorted(scores, reverse=True)


def test_a_provision_known_only_by_how_people_ask_is_found() -> None:
    entries = (*ENTRIES, Entry("shiyan#7?1", "shiyan#7", "asked", "能不能在里面吃火锅"))
    assert Retriever(entries, None).search("吃火锅", 1).passages[0].provision_id == "shiyan#7"


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (lambda id: id != "shiyan#2", {"shiyan#1", "shiyan#3"}),
        (lambda id: id in {"shiyan#4", "shiyan#6"}, {"shiyan#4", "shiyan#6"}),
        (lambda _id: False, set[str]()),
    ],
)
def test_only_what_is_allowed_is_found(
    retriever: Retriever, allowed: Callable[[str], bool], expected: set[str]
) -> None:
    passages = retriever.search("损坏仪器几天内报告", 10, allowed).passages
    ids = {passage.provision_id for passage in passages}
    assert expected <= ids
    assert all(map(allowed, ids))


def test_the_vector_index_is_searched_deeper_for_what_is_allowed(settings: Settings, tmp_path: Path) -> None:
    crowd = tuple(Entry(f"x#{n}", f"x#{n}", "provision", f"第{n}条 损坏仪器的应当报告") for n in range(700))
    store = VectorStore(Settings(data=tmp_path), make_embeddings(settings), fingerprint(settings))
    ensure_index((*crowd, ENTRIES[-1]), store)
    found = Retriever((*crowd, ENTRIES[-1]), store).search("损坏仪器报告", 1, lambda id: id == "shiyan#6")
    assert found.passages[0].why[0].startswith("dense:")


def test_without_the_vector_index_words_go_on_and_say_so(words_only: Retriever) -> None:
    found = words_only.search("损坏仪器几天内报告", 2)
    assert found.passages[0].provision_id == "shiyan#2"
    assert "只按字词检索" in found.degraded


def test_an_index_that_is_gone_is_a_notice_not_an_error(settings: Settings, tmp_path: Path) -> None:
    store = VectorStore(Settings(data=tmp_path), make_embeddings(settings), fingerprint(settings))
    found = Retriever(ENTRIES, store).search("损坏仪器几天内报告", 2)
    assert found.passages[0].provision_id == "shiyan#2"
    assert "zeming index" in found.degraded


@pytest.mark.parametrize("text", ["", " ", "？！", "🙂", "zzz qqq", "ф", "的" * 5000])
def test_any_text_can_be_searched(retriever: Retriever, words_only: Retriever, text: str) -> None:
    retriever.search(text, 3)
    assert words_only.search("ф", 3).passages == ()


def test_no_entries_find_nothing() -> None:
    assert Retriever((), None).search("损坏", 3).passages == ()


def test_the_same_question_gives_the_same_answer(retriever: Retriever) -> None:
    first = retriever.search("损坏仪器几天内报告", 10)
    assert all(retriever.search("损坏仪器几天内报告", 10) == first for _ in range(5))


# ---------------------------------------------------------------- commentary and cases

BESIDE = (
    Entry("essay#1", "essay#1", "commentary", "论实验室里打碎烧杯的责任：报告要及时，赔偿要看故意"),
    Entry("essay#2", "essay#2", "commentary", "门卫值夜班的体会"),
    Entry("case#1", "case#1", "case", "学生失手打碎烧杯，当天报告主任，没有赔偿"),
    Entry("case#1+", "case#1", "case", "烧杯碎了，主动说明，结论是不赔"),
    Entry("case#2", "case#2", "case", "管理员十一点才锁门，钥匙丢了"),
)


@pytest.fixture(scope="module")
def with_more(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    store = VectorStore(
        Settings(data=tmp_path_factory.mktemp("more")), make_embeddings(settings), fingerprint(settings)
    )
    ensure_index((*ENTRIES, *BESIDE), store)
    return Retriever((*ENTRIES, *BESIDE), store)


def test_commentary_and_cases_come_beside_the_rules_and_push_none_out(
    retriever: Retriever, with_more: Retriever
) -> None:
    question = "烧杯摔了怎么办"
    found = with_more.search(question, 10)
    assert found.passages == retriever.search(question, 10).passages
    assert [passage.provision_id for passage in found.commentary] == ["essay#1", "essay#2"]
    assert [passage.provision_id for passage in found.cases] == ["case#1", "case#2"]


def test_cases_are_scored_by_how_near_they_are(with_more: Retriever) -> None:
    near, far = with_more.search("我失手打碎了烧杯，当天就报告了主任", 3).cases
    assert (near.provision_id, far.provision_id) == ("case#1", "case#2")
    assert 0.9 < near.score <= 1
    assert far.score < near.score


def test_without_vectors_there_are_commentary_and_cases_by_words() -> None:
    found = Retriever((*ENTRIES, *BESIDE), None).search("打碎烧杯", 3)
    assert found.commentary[0].provision_id == "essay#1"
    assert [(case.provision_id, case.score) for case in found.cases] == [("case#1", 0.0)]


def test_what_is_allowed_is_asked_of_rules_only(with_more: Retriever) -> None:
    asked: list[str] = []
    with_more.search("打碎烧杯", 3, lambda id: bool(asked.append(id)))
    assert set(asked) <= set(RULES)


def test_only_the_given_provisions_are_looked_at(with_more: Retriever) -> None:
    found = with_more.search("损坏仪器几天内报告", 10, among={"shiyan#4", "shiyan#5.1"})
    assert {passage.provision_id for passage in found.passages} == {"shiyan#4", "shiyan#5.1"}
    assert any(why.startswith("dense:") for why in found.passages[0].why)
    assert found.commentary == ()
    assert with_more.search("报告", 10, among=()).passages == ()


# ---------------------------------------------------------------- many entries

CROWD = tuple(Entry(f"x#{n}", f"x#{n}", "provision", f"第{n}条 损坏仪器的应当报告") for n in range(5000))


def test_of_many_only_the_best_are_asked_whether_they_are_allowed() -> None:
    asked: list[str] = []
    Retriever(CROWD, None).search("损坏仪器", 3, lambda id: not asked.append(id))
    assert len(asked) <= 300


def test_a_rare_allowed_provision_is_found_by_words_among_many() -> None:
    found = Retriever(CROWD, None).search("损坏仪器", 3, lambda id: id in {"x#4990", "x#17"})
    assert {passage.provision_id for passage in found.passages} == {"x#4990", "x#17"}


# ---------------------------------------------------------------- word indexes in files


def test_a_later_start_finds_the_words_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.steps import word_index

    kept = tmp_path / "words" / "state"
    first = Retriever((*ENTRIES, *BESIDE), None, kept).search("损坏仪器要赔偿吗", 10)

    def counted(*_: object) -> None:
        raise AssertionError("the words were counted again")

    monkeypatch.setattr(word_index, "_made", counted)
    assert Retriever((*ENTRIES, *BESIDE), None, kept).search("损坏仪器要赔偿吗", 10) == first


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("damage", [_cut, Path.unlink, lambda file: file.write_bytes(b"")])
@pytest.mark.parametrize("file", ["data.csc.index.npy", "indptr.csc.index.npy", "vocab.index.json"])
def test_damaged_word_files_are_made_again(
    file: str, damage: Callable[[Path], object], tmp_path: Path
) -> None:
    kept = tmp_path / "words" / "state"
    first = Retriever(ENTRIES, None, kept).search("损坏仪器要赔偿吗", 10)
    for found in kept.parent.rglob(file):
        damage(found)
    assert Retriever(ENTRIES, None, kept).search("损坏仪器要赔偿吗", 10) == first
    assert Retriever(ENTRIES, None, kept).search("损坏仪器要赔偿吗", 10) == first


def test_words_of_an_older_state_are_removed(tmp_path: Path) -> None:
    for state in ("old", "new"):
        Retriever(ENTRIES, None, tmp_path / "words" / state)
    assert [folder.name.split("-")[0] for folder in (tmp_path / "words").iterdir()] == ["new"]


def test_words_that_cannot_be_kept_are_searched_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("a file where the folder should be")
    found = Retriever(ENTRIES, None, tmp_path / "words" / "state").search("损坏仪器几天内报告", 1)
    assert found.passages[0].provision_id == "shiyan#2"
