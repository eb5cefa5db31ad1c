"""What is kept between visits, in real SQLite files and in a real PostgreSQL server."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from assistant.errors import RecordsError
from assistant.evaluation.rows import read_sets
from assistant.records import store as store_module
from assistant.records import tables
from assistant.records.audit import Audit
from assistant.records.conversations import Conversations, Kept
from assistant.records.feedback import Feedback, FeedbackBox
from assistant.records.store import NEWEST, Store, open_store
from assistant.settings import Settings, load_settings
from tests.postgres import PASSWORD, USER, Cluster

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARK = "独一无二的记号QZXJW"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records/records.db"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.new()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store(url)) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Store]:
    """A SQLite file alone."""
    with closing(Store(f"sqlite:///{tmp_path}/records/records.db")) as opened:
        yield opened


def kept(id: str = "a", title: str = "标题", body: str = "{}", updated: datetime = NOON) -> Kept:
    return Kept(id, title, NOON, updated, body)


def at_once(number: int, work: Callable[[int], None]) -> None:
    """The same work in several threads that start together; what fails in one fails here."""
    failed: list[BaseException] = []
    start = threading.Barrier(number)

    def run(n: int) -> None:
        start.wait()
        try:
            work(n)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def on_disk(folder: Path) -> bytes:
    """The bytes of all files of a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


# ---------------------------------------------------------------- the database itself


def test_the_tables_are_those_that_the_migrations_make(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "records_version"})
        assert compare_metadata(context, tables.metadata) == []
        assert context.get_current_revision() == NEWEST
    scripts = ScriptDirectory(Path(store_module.__file__).with_name("migrations"))
    assert scripts.get_current_head() == NEWEST


def test_opening_again_changes_nothing(url: str) -> None:
    for n in range(3):
        with closing(Store(url)) as opened:
            Conversations(opened).keep("user:1", kept(str(n)))
            assert len(Conversations(opened).listed("user:1")) == n + 1


def test_processes_and_threads_that_start_at_once_do_not_break_each_other(url: str) -> None:
    program = "import sys; from assistant.records.store import Store; Store(sys.argv[1]).close()"
    others = [
        subprocess.Popen([sys.executable, "-c", program, url], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    at_once(6, lambda n: Store(url).close())
    assert [(other.communicate()[1], other.returncode) for other in others] == [("", 0)] * 2
    with closing(Store(url)) as opened:
        assert Conversations(opened).listed("user:1") == ()


def test_a_database_of_a_newer_program_is_left_alone(url: str) -> None:
    with closing(Store(url)) as opened, opened.writing() as connection:
        connection.execute(sa.text("UPDATE records_version SET version_num = '0999'"))
    with pytest.raises(RecordsError, match=r"是更新版本的责明写的（0999.*请升级程序"):
        Store(url)


def test_the_tables_of_another_program_are_left_alone(url: str) -> None:
    with closing(Store(url)) as opened, opened.writing() as connection:
        connection.execute(sa.text("DROP TABLE records_version"))
    with pytest.raises(RecordsError, match=r"已有别的程序的表（accounts、audit.*另用一个数据库"):
        Store(url)


def test_a_failed_step_leaves_no_half_made_tables(url: str, tmp_path: Path) -> None:
    """A table in the way of the last step: nothing of the steps before it stays."""
    with closing(Store(url)) as opened, opened.writing() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            table.drop(connection)
        connection.execute(sa.text("DROP TABLE records_version"))
        connection.execute(sa.text("CREATE VIEW audit AS SELECT 1 AS n"))
    with pytest.raises(RecordsError):
        Store(url)
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_several_threads_write_and_read_at_once(store: Store) -> None:
    conversations, audit = Conversations(store), Audit(store, lambda: NOON)

    def work(n: int) -> None:
        for number in range(8):
            conversations.keep(f"user:{n}", kept(f"{n}-{number}", body=json.dumps({"n": number})))
            conversations.listed(f"user:{n}", "标题")
            audit.note(f"user:{n}", "做了")
            if number % 4 == 3:
                assert conversations.forget(f"user:{n}", f"{n}-{number}")

    at_once(8, work)
    assert [len(conversations.listed(f"user:{n}")) for n in range(8)] == [6] * 8
    assert len(audit.listed()) == 64


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    with closing(open_store(load_settings(data=data))) as opened:
        Conversations(opened).keep("user:1", kept())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.iterdir())}
    assert modes == {"data": 0o700, "records.db": 0o600, "records.db.lock": 0o600}


def test_a_folder_that_everybody_uses_stays_open(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    open_store(load_settings(data=shared)).close()
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert stat.S_IMODE((shared / "records.db").stat().st_mode) == 0o600


def test_the_settings_may_name_another_database(postgres: Cluster, tmp_path: Path) -> None:
    with closing(open_store(load_settings(data=tmp_path / "data", records_url=postgres.new()))) as opened:
        assert not opened.sqlite
    assert not (tmp_path / "data").exists()


# ---------------------------------------------------------------- databases that cannot be used


def _sentence(error: RecordsError) -> str:
    """What is said, after a look that it is one sentence for a reader and gives no password away."""
    said = str(error)
    assert said.endswith("。")
    assert "\n" not in said
    for secret in (PASSWORD, "p%40ss", "geheim"):
        assert secret not in said
    return said


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    file.write_bytes(b"something else altogether" * 100)
    with pytest.raises(RecordsError) as caught:
        Store(f"sqlite:///{file}")
    assert "records.db 已损坏，请用备份替换它" in _sentence(caught.value)
    assert file.read_bytes().startswith(b"something else")


def test_a_file_that_was_damaged(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    Store(f"sqlite:///{file}").close()
    file.write_bytes(file.read_bytes()[:4096] + os.urandom(file.stat().st_size - 4096))
    with pytest.raises(RecordsError) as caught, closing(Store(f"sqlite:///{file}")) as opened:
        Conversations(opened).listed("user:1")
    assert "已损坏" in _sentence(caught.value)


def test_a_file_that_another_program_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_WAIT", 0.2)
    with closing(Store(f"sqlite:///{tmp_path}/records.db")) as opened:
        with closing(sqlite3.connect(tmp_path / "records.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(RecordsError) as caught:
                Conversations(opened).keep("user:1", kept())
        assert "正被别的程序占用，请稍等再试" in _sentence(caught.value)
        Conversations(opened).keep("user:1", kept())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError) as caught:
        Store(f"sqlite:///{tmp_path}/file/records.db")
    assert "打不开" in _sentence(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "mysql://a:geheim@host/db",
        "geheim",
        "postgresql://a:geheim@host:port/db",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_addresses_that_cannot_be_used(address: str) -> None:
    with pytest.raises(RecordsError) as caught:
        Store(address)
    assert "ZEMING_RECORDS_URL" in _sentence(caught.value)
    assert caught.value.__cause__ is None


def test_a_server_that_does_not_answer_or_does_not_know_us(postgres: Cluster) -> None:
    right = postgres.new()
    for address in (
        f"postgresql://{USER}:geheim@127.0.0.1:1/records",
        right.replace(right.split("@")[0], f"postgresql://{USER}:geheim"),
        postgres.address("no_such_database"),
    ):
        with pytest.raises(RecordsError) as caught:
            Store(address)
        said = _sentence(caught.value)
        assert "连不上" in said
        assert "127.0.0.1" in said


def test_a_server_on_which_we_may_make_no_tables(postgres: Cluster) -> None:
    postgres.new()
    postgres.run("CREATE ROLE visitor LOGIN PASSWORD 'geheim'")
    with pytest.raises(RecordsError) as caught:
        Store(f"postgresql://visitor:geheim@127.0.0.1:{postgres.port}/postgres")
    assert "permission denied" in _sentence(caught.value)


def test_a_server_that_keeps_no_chinese(postgres: Cluster) -> None:
    postgres.run("CREATE DATABASE old ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(RecordsError) as caught:
        Store(postgres.address("old"))
    assert "UTF8" in _sentence(caught.value)


def test_without_the_driver_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from assistant.records.store import Store\n"
        "try: Store('postgresql://a:geheim@127.0.0.1/b')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("RecordsError 没有装 PostgreSQL 的驱动")
    assert "geheim" not in done.stdout + done.stderr


def test_a_server_that_comes_back_is_used_again(postgres: Cluster) -> None:
    address = postgres.new()
    with closing(Store(address)) as opened:
        Conversations(opened).keep("user:1", kept())
        postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert len(Conversations(opened).listed("user:1")) == 1


# ---------------------------------------------------------------- conversations


def test_a_conversation_comes_back_as_it_was_kept(store: Store) -> None:
    conversations = Conversations(store)
    body = json.dumps({"said": "三个区分开来 “引号” 𠮷 😀 \t\n\u2028 é", "n": [1, None]}, ensure_ascii=False)
    beijing = datetime(2026, 3, 1, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    conversations.keep("user:1", Kept("a", "繁體、𠮷 <b>", beijing, beijing, body))
    opened = conversations.opened("user:1", "a")
    assert opened == Kept("a", "繁體、𠮷 <b>", beijing, beijing, body)
    assert opened.created.tzinfo is UTC
    heading = conversations.listed("user:1")[0]
    assert (heading.id, heading.title, heading.updated) == ("a", "繁體、𠮷 <b>", beijing)


def test_keeping_again_replaces(store: Store) -> None:
    conversations = Conversations(store)
    conversations.keep("user:1", kept(body="一"))
    conversations.keep("user:1", kept(title="新", body="二", updated=NOON + timedelta(1)))
    assert conversations.opened("user:1", "a") == kept(title="新", body="二", updated=NOON + timedelta(1))
    assert len(conversations.listed("user:1")) == 1


def test_a_megabyte_is_kept_and_found(store: Store) -> None:
    conversations = Conversations(store)
    body = json.dumps({"said": "长" * 350_000 + MARK}, ensure_ascii=False)
    assert len(body.encode()) > 1_000_000
    conversations.keep("user:1", kept(body=body))
    found = conversations.opened("user:1", "a")
    assert found is not None
    assert found.body == body
    assert [h.id for h in conversations.listed("user:1", MARK)] == ["a"]


def test_what_no_database_keeps_is_left_out(store: Store) -> None:
    conversations = Conversations(store)
    conversations.keep("user:1", kept(title="一\0二", body="三\ud800四"))
    opened = conversations.opened("user:1", "a")
    assert opened is not None
    assert (opened.title, opened.body) == ("一二", "三\ufffd四")
    assert [h.id for h in conversations.listed("user:1", "三\udfff四\0")] == ["a"]
    assert conversations.opened("user:\ud800", "b\0") is None


def test_the_newest_come_first_and_no_more_than_asked_for(store: Store) -> None:
    conversations = Conversations(store)
    for n, day in enumerate((3, 1, 2)):
        conversations.keep("user:1", kept(str(n), updated=NOON + timedelta(day)))
    assert [h.id for h in conversations.listed("user:1")] == ["0", "2", "1"]
    assert [h.id for h in conversations.listed("user:1", most=2)] == ["0", "2"]


def test_owners_see_and_touch_only_their_own(store: Store) -> None:
    conversations = Conversations(store)
    conversations.keep("user:1", kept(body=MARK))
    conversations.keep("user:11", kept("b"))
    for other in ("user:11", "user:", "USER:1", "user:1 ", "browser:1", "", "%"):
        assert "a" not in {h.id for h in conversations.listed(other)}
        assert conversations.listed(other, MARK) == ()
        assert conversations.opened(other, "a") is None
        assert not conversations.rename(other, "a", "夺走")
        assert not conversations.forget(other, "a")
        with pytest.raises(RecordsError, match="不是您的"):
            conversations.keep(other, kept(body="夺走"))
    assert conversations.forget_all("user:") == 0
    assert conversations.opened("user:1", "a") == kept(body=MARK)


def test_renaming(store: Store) -> None:
    conversations = Conversations(store)
    conversations.keep("user:1", kept())
    assert conversations.rename("user:1", "a", "  新 \n 名字\0 ")
    assert conversations.listed("user:1")[0] == conversations.listed("user:1", "新 名字")[0]
    assert conversations.listed("user:1")[0].title == "新 名字"
    assert conversations.listed("user:1")[0].updated == NOON
    assert not conversations.rename("user:1", "none", "新名字")
    with pytest.raises(RecordsError, match="标题不能为空"):
        conversations.rename("user:1", "a", " \n")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", "abcde"),
        ("   ", "abcde"),
        ("问责", "ab"),
        ("问责 采石场", "a"),
        ("采石场　问责", "a"),  # full-width space
        ("标题甲", "a"),
        ("100%", "c"),
        ("0%确", "c"),
        ("%", "c"),
        ("_", "d"),
        ("a_b", "d"),
        ("/", "e"),
        ("\\", "e"),
        ("C:\\x", "e"),
        ("'; DROP TABLE conversations; --", ""),
        ("'", "b"),
        ('说"不归我管"', "b"),
        ("WORD", "d"),
        ("没有的话", ""),
        ("问" * 10_000, ""),
        (" ".join("问责" for _ in range(5000)), "ab"),
    ],
)
def test_search(store: Store, words: str, found: str) -> None:
    conversations = Conversations(store)
    said = {
        "a": "采石场长期违规开采，会被问责吗",
        "b": '他说"不归我管"，it\'s 这算问责吗',
        "c": "我百分之一百，100%确定",
        "d": "a_b Word",
        "e": "C:\\x 和/或",
    }
    for id, text in said.items():
        body = json.dumps({"k": text}, ensure_ascii=False)
        conversations.keep("user:1", kept(id, "标题甲" if id == "a" else "标题", body))
        conversations.keep("user:2", kept(f"other-{id}", body=body))
    assert "".join(sorted(h.id for h in conversations.listed("user:1", words))) == found


def test_what_is_too_old_is_swept_away_and_nothing_else(store: Store) -> None:
    conversations = Conversations(store)
    moment = timedelta(microseconds=1)
    long_ago, lately = NOON - timedelta(30), NOON - timedelta(1)
    for id, owner, updated in (
        ("user just too old", "user:1", long_ago - moment),
        ("user on the limit", "user:1", long_ago),
        ("browser just too old", "browser:1", lately - moment),
        ("browser on the limit", "browser:1", lately),
        ("another that only looks so", "browserx", lately - moment),
        ("a browser of old", "browser:2", long_ago - moment),
    ):
        conversations.keep(owner, kept(id, updated=updated))
    assert conversations.sweep(long_ago, lately) == 3
    left = [h.id for owner in ("user:1", "browser:1", "browserx") for h in conversations.listed(owner)]
    assert left == ["user on the limit", "browser on the limit", "another that only looks so"]
    assert conversations.sweep(long_ago, lately) == 0


def test_forgetting(store: Store) -> None:
    conversations = Conversations(store)
    for id in "abc":
        conversations.keep("user:1", kept(id))
    conversations.keep("user:2", kept("d"))
    assert conversations.forget("user:1", "a")
    assert not conversations.forget("user:1", "a")
    assert conversations.opened("user:1", "a") is None
    assert conversations.forget_all("user:1") == 2
    assert conversations.listed("user:1") == ()
    assert len(conversations.listed("user:2")) == 1


@pytest.mark.parametrize("size", [20, 1000, 300_000])
def test_forgotten_words_are_in_no_file_any_more(file: Store, tmp_path: Path, size: int) -> None:
    conversations = Conversations(file)
    for way in ("forget", "forget_all", "sweep"):
        conversations.keep("user:1", kept("a", f"标题{MARK}", MARK + "旧" * size))
        conversations.keep("user:2", kept("b", body="留下的话", updated=NOON + timedelta(9)))
        conversations.keep("user:1", kept("a", f"标题{MARK}", "新" * size + MARK))
        conversations.rename("user:1", "a", f"改名{MARK}")
        assert MARK.encode() in on_disk(tmp_path)
        conversations.listed("user:1", MARK)
        match way:
            case "forget":
                assert conversations.forget("user:1", "a")
            case "forget_all":
                assert conversations.forget_all("user:1") == 1
            case "sweep":
                assert conversations.sweep(NOON + timedelta(1), NOON) == 1
        left = on_disk(tmp_path)
        assert MARK.encode() not in left
        assert "留下的话".encode() in left


def test_nothing_stays_where_rows_were_moved_about(file: Store, tmp_path: Path) -> None:
    """Many short rows that come, change and go: SQLite copies them from page to page.

    With ``secure_delete`` alone two of these would stay.
    """
    conversations, chance, table = Conversations(file), random.Random(6), tables.conversations
    live: dict[str, str] = {}
    dead: set[str] = set()
    with file.writing() as connection:
        for number in range(1200):
            mark = f"M{number:06}X"
            words: dict[str, Any] = {"title": "", "body": (mark + "-") * chance.randint(1, 38)}
            words |= {"created": NOON, "updated": NOON + timedelta(chance.random())}
            if live and chance.random() < 0.3:
                id = chance.choice(sorted(live))
                dead.add(live[id])
                connection.execute(table.update().where(table.c.id == id).values(words))
            else:
                id = f"{chance.getrandbits(128):032x}"
                connection.execute(table.insert().values(id=id, owner=f"user:{id[-1]}", **words))
            live[id] = mark
    for last in "0123456789":
        assert conversations.forget_all(f"user:{last}") > 20
        dead |= {live.pop(id) for id in list(live) if id[-1] == last}
    left = on_disk(tmp_path)
    assert [mark for mark in dead if mark.encode() in left] == []
    assert all(mark.encode() in left for mark in live.values())


def test_what_a_killed_program_did_not_scrub_is_scrubbed_at_the_next_start(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/records.db"
    with closing(Store(address)) as opened:
        Conversations(opened).keep("user:1", kept(body=MARK * 10))
    with closing(sqlite3.connect(tmp_path / "records.db")) as connection, connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM conversations")
        connection.execute("PRAGMA user_version = 7")
    assert MARK.encode() in on_disk(tmp_path)
    Store(address).close()
    assert MARK.encode() not in on_disk(tmp_path)


# ---------------------------------------------------------------- feedback and the log


def opinion(**changes: Any) -> Feedback:
    values = {
        "given": NOON,
        "right": True,
        "reason": "",
        "clause": "",
        "scenario": "我是镇长，……",
        "scope": "in",
        "clauses": ("《中国共产党问责条例》第七条第（三）项", "《x》"),
        "day": date(2026, 3, 1),
    }
    return Feedback(**(values | changes))


def test_opinions_are_kept_reviewed_and_removed(store: Store) -> None:
    box = FeedbackBox(store)
    first = box.add(opinion())
    second = box.add(
        opinion(given=NOON + timedelta(1), right=False, reason="条款不对\0", scope=None, clauses=())
    )
    assert box.listed() == (
        opinion(given=NOON + timedelta(1), right=False, reason="条款不对", scope=None, clauses=(), id=second),
        opinion(id=first),
    )
    assert box.review(first, "同意")
    assert box.listed(reviewed=True) == (opinion(id=first, reviewed=True, note="同意"),)
    assert [f.id for f in box.listed(reviewed=False)] == [second]
    assert [f.id for f in box.listed(most=1)] == [second]
    assert box.review(first, "再看", reviewed=False)
    assert box.listed(reviewed=True) == ()
    assert box.remove(first)
    assert not box.remove(first)
    assert not box.review(first, "")
    assert [f.id for f in box.listed()] == [second]


def test_reviewed_opinions_become_rows_that_the_evaluation_reads(store: Store, tmp_path: Path) -> None:
    box = FeedbackBox(store)
    clause = "《中国共产党问责条例》第九条"
    opinions = [
        (opinion(), "对"),
        (opinion(right=False, clause=f" {clause} "), "条款写错了"),
        (opinion(right=False), "应是 out_general_work，不是 in"),
        (opinion(right=False), "不知道怎样才对"),  # nothing is known to be right
        (opinion(scenario=""), "没有留下情况"),
        (opinion(), None),  # nobody has reviewed it
    ]
    for one, note in opinions:
        id = box.add(one)
        if note is not None:
            box.review(id, note)
    rows = box.evaluation_rows()
    assert [(row["id"], row["scope"], row["clauses"]) for row in rows] == [
        ("feedback-1", "in", list(opinion().clauses)),
        ("feedback-2", None, [clause]),
        ("feedback-3", "out_general_work", []),
    ]
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    assert [row.text for row in read_sets({"cases": [path]})[0].rows] == ["我是镇长，……"] * 3


def test_removed_opinions_are_in_no_file_any_more(file: Store, tmp_path: Path) -> None:
    box = FeedbackBox(file)
    id = box.add(opinion(scenario=MARK, reason=MARK))
    assert MARK.encode() in on_disk(tmp_path)
    box.remove(id)
    assert MARK.encode() not in on_disk(tmp_path)


def test_the_log_tells_who_did_what_when(store: Store) -> None:
    moments = iter([NOON, NOON + timedelta(hours=1)])
    audit = Audit(store, lambda: next(moments))
    audit.note("李雷", "添加文件", "办法\n.pdf\0")
    audit.note("韩梅梅", "移除文件", "长" * 5000)
    newest, oldest = audit.listed()
    assert (newest.who, newest.at, len(newest.about)) == ("韩梅梅", NOON + timedelta(hours=1), 200)
    assert (oldest.at, oldest.who, oldest.what, oldest.about) == (NOON, "李雷", "添加文件", "办法 .pdf")
    assert audit.listed(most=1) == (newest,)


def test_settings_do_not_show_the_password_of_the_database(postgres: Cluster) -> None:
    settings: Settings = load_settings(records_url=postgres.address("x"))
    assert "p%40ss" not in repr(settings)
