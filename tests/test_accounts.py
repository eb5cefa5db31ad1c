"""Accounts: who may sign in, for how long, and what is written down of it. Real databases, a clock of our own."""

from __future__ import annotations

import json
import os
import pty
import select
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import argon2
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from assistant.cli_account import account
from assistant.errors import AccountError, ZemingError
from assistant.records import tables
from assistant.records.accounts import Account, Accounts
from assistant.records.audit import Audit
from assistant.records.passwords import PasswordRules
from assistant.records.store import Store
from assistant.settings import load_settings
from tests.postgres import Cluster

PASSWORD, OTHER = "四月的雨下在石板路上", "wrong but long enough"
MOMENT = timedelta(microseconds=1)
WRONG = "账号或密码不对，请检查后再试。"
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SETTINGS = load_settings(session_hours=8, max_failures=3, lock_minutes=15)


class Clock:
    """Goes only when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.new()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store(url)) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def audit(store: Store, clock: Clock) -> Audit:
    return Audit(store, clock)


@pytest.fixture
def accounts(store: Store, clock: Clock, audit: Audit) -> Accounts:
    return Accounts(store, SETTINGS, clock, audit, QUICK)


@pytest.fixture
def boss(accounts: Accounts) -> Account:
    return accounts.create("老李", PASSWORD, "administrator")


def noted(audit: Audit) -> list[tuple[str, str, str]]:
    """The log, the oldest first."""
    return [(e.who, e.what, e.about) for e in reversed(audit.listed())]


def refused(work: Callable[[], Any]) -> str:
    with pytest.raises(AccountError) as caught:
        work()
    return str(caught.value)


# ---------------------------------------------------------------- making accounts


def test_no_account_is_there_at_first_and_none_by_default(accounts: Accounts, store: Store) -> None:
    assert not accounts.any()
    assert accounts.listed() == ()
    accounts.create("小王", PASSWORD, "user")
    assert not accounts.any()  # only an administrator counts
    with store.reading() as connection:
        assert connection.execute(sa.select(tables.sessions.c.hash)).all() == []


def test_an_account_is_made(accounts: Accounts, audit: Audit, clock: Clock) -> None:
    made = accounts.create("  老李 ", PASSWORD, "administrator", by="安装")
    assert made == Account(made.id, "老李", "administrator", True, clock.now, None)
    assert accounts.listed() == (made,)
    assert accounts.any()
    assert noted(audit) == [("安装", "新建账号（管理员）", "老李")]


def test_the_first_administrator_is_made_once(accounts: Accounts) -> None:
    made: list[Account] = []
    refusals: list[str] = []

    def work(n: int) -> None:
        try:
            made.append(accounts.create_first(f"管理员{n}", PASSWORD))
        except AccountError as error:
            refusals.append(str(error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert refusals == ["已经有管理员了，请用他的账号登录，或者请他给您开账号。"] * 5


@pytest.mark.parametrize(
    "name", ["Li.Lei@office", "李雷", "𠮷野", "a b", "长" * 32, "x", "O'Brien; DROP TABLE--", "%"]
)
def test_names_that_will_do(accounts: Accounts, name: str) -> None:
    accounts.create(name, PASSWORD, "user")
    assert accounts.named(name) is not None
    assert accounts.who(accounts.sign_in(name, PASSWORD)) == accounts.named(name)


@pytest.mark.parametrize("name", ["", "  ", "长" * 33, "a\nb", "a\0b", "零\u200b宽", "\u202e倒", "半\ud800"])
def test_names_that_will_not_do(accounts: Accounts, name: str) -> None:
    assert "账号名" in refused(lambda: accounts.create(name, PASSWORD, "user"))
    assert accounts.listed() == ()


@pytest.mark.parametrize("same", ["Anna", "ANNA", " anna ", "ａｎｎａ", "straße", "STRASSE"])
def test_names_that_only_look_different_are_one(accounts: Accounts, same: str) -> None:
    accounts.create("anna", PASSWORD, "user")
    accounts.create("Straße", PASSWORD, "user")
    assert "请换一个名字" in refused(lambda: accounts.create(same, PASSWORD, "user"))
    assert accounts.who(accounts.sign_in(same, PASSWORD)) is not None


def test_a_role_that_does_not_exist(accounts: Accounts, boss: Account) -> None:
    role: Any = "root"
    assert "没有“root”这个角色" in refused(lambda: accounts.create("小王", PASSWORD, role))
    assert "没有“root”这个角色" in refused(lambda: accounts.set_role(boss.id, role))


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("123456789", "至少要 10 个字符"),
        ("", "至少要 10 个字符"),
        ("长" * 201, "最多 200 个字符"),
        ("Password123", "太常见"),
        ("ｑｗｅｒｔｙｕｉｏｐ", "太常见"),
        ("aaaaaaaaaaaa", "太常见"),
        ("1234512345", "太常见"),
        ("lilei-is-my-name", "不能有账号名"),
        ("my LiLei password", "不能有账号名"),
    ],
)
def test_passwords_that_will_not_do(accounts: Accounts, password: str, why: str) -> None:
    said = refused(lambda: accounts.create("LiLei", password, "user"))
    assert why in said
    assert said.endswith("。")
    assert password not in said or not password


@pytest.mark.parametrize(
    "password",
    ["只有小写的汉字也可以的", "abcdefghijx", "1029384756", "十个字符一个不多不少", "            x"],
)
def test_passwords_that_will_do(password: str) -> None:
    PasswordRules(SETTINGS.prompts).check("李", password)


def test_the_list_of_common_passwords_holds_only_what_is_long_enough_to_matter() -> None:
    rules = PasswordRules(SETTINGS.prompts)
    assert len(rules._common) > 100
    assert all(len(word) >= 10 and word == word.casefold() for word in rules._common)


# ---------------------------------------------------------------- signing in


def test_signing_in_and_out(accounts: Accounts, boss: Account, audit: Audit) -> None:
    first, second = accounts.sign_in("老李", PASSWORD), accounts.sign_in(" 老李 ", PASSWORD)
    assert first != second
    assert accounts.who(first) == accounts.who(second) == boss
    accounts.sign_out(first)
    assert accounts.who(first) is None
    assert accounts.who(second) == boss
    accounts.sign_out(first)
    for nonsense in ("", "x", "\0", "\ud800", "' OR 1=1", second + "x", second[:-1], second.swapcase()):
        assert accounts.who(nonsense) is None
        accounts.sign_out(nonsense)
    assert [what for _, what, _ in noted(audit)[1:]] == ["登录", "登录", "退出登录"]


def test_neither_password_nor_token_is_kept(
    accounts: Accounts, boss: Account, tmp_path: Path, url: str
) -> None:
    token = accounts.sign_in("老李", PASSWORD)
    refused(lambda: accounts.sign_in("my-secret-as-a-name", OTHER))
    if not url.startswith("sqlite"):
        return
    kept = (tmp_path / "records.db").read_bytes()
    for secret in (PASSWORD, token, "my-secret-as-a-name", OTHER):
        assert secret.encode() not in kept
    assert b"$argon2id$" in kept


def test_a_wrong_password_and_a_wrong_name_are_told_alike(
    accounts: Accounts, boss: Account, audit: Audit
) -> None:
    accounts.create("小王", PASSWORD, "user")
    for name, password in (
        ("老李", OTHER),
        ("老李", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("\0\ud800", "\ud800"),
    ):
        assert refused(lambda name=name, password=password: accounts.sign_in(name, password)) == WRONG
    assert noted(audit)[2:] == [("老李", "登录失败", "")] * 2 + [("没有的账号", "登录失败", "")] * 3


def test_a_name_that_does_not_exist_takes_as_long(store: Store, clock: Clock) -> None:
    slow = argon2.PasswordHasher(time_cost=8, memory_cost=8192, parallelism=1)
    lenient = SETTINGS.model_copy(update={"max_failures": 100})
    accounts = Accounts(store, lenient, clock, hasher=slow)
    accounts.create("老李", PASSWORD, "administrator")
    refused(lambda: accounts.sign_in("nobody", OTHER))

    def effort(name: str) -> float:
        took = []
        for _ in range(5):
            begun = time.process_time()
            refused(lambda: accounts.sign_in(name, OTHER))
            took.append(time.process_time() - begun)
        return statistics.median(took)

    assert 0.6 < effort("nobody") / effort("老李") < 1.6


def test_a_password_counts_in_whatever_width_it_is_typed(accounts: Accounts) -> None:
    accounts.create("小王", "Pass Phrase １２３", "user")
    assert accounts.sign_in("小王", "Ｐａｓｓ　Ｐｈｒａｓｅ 123")


def test_an_old_hash_is_renewed_at_the_next_sign_in(store: Store, clock: Clock, accounts: Accounts) -> None:
    accounts.create("小王", PASSWORD, "user")
    stronger = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    later = Accounts(store, SETTINGS, clock, hasher=stronger)
    token = later.sign_in("小王", PASSWORD)
    with store.reading() as connection:
        hash = connection.execute(sa.select(tables.accounts.c.password)).scalar_one()
    assert "m=16,t=2,p=1" in hash
    assert later.who(token)
    assert later.sign_in("小王", PASSWORD)


def test_by_default_passwords_are_hashed_as_the_library_advises(store: Store, clock: Clock) -> None:
    accounts = Accounts(store, SETTINGS, clock)
    accounts.create("小王", PASSWORD, "user")
    with store.reading() as connection:
        hash = connection.execute(sa.select(tables.accounts.c.password)).scalar_one()
    assert not argon2.PasswordHasher().check_needs_rehash(hash)
    assert accounts.sign_in("小王", PASSWORD)


# ---------------------------------------------------------------- sessions end


def test_a_session_that_is_not_used_ends(accounts: Accounts, boss: Account, clock: Clock) -> None:
    token, other = accounts.sign_in("老李", PASSWORD), accounts.sign_in("老李", PASSWORD)
    clock.forward(hours=8, microseconds=-1)
    assert accounts.who(token) == boss
    clock.now += MOMENT
    assert accounts.who(other) is None
    assert accounts.who(token) == boss  # was in use a moment ago
    clock.forward(hours=8)
    assert accounts.who(token) is None


def test_a_session_in_use_is_written_down_once_a_minute(
    accounts: Accounts, boss: Account, clock: Clock, store: Store
) -> None:
    def seen() -> datetime:
        with store.reading() as connection:
            found: datetime = connection.execute(sa.select(tables.sessions.c.seen)).scalar_one()
        return found

    begun, token = clock.now, accounts.sign_in("老李", PASSWORD)
    clock.forward(seconds=59)
    accounts.who(token)
    assert seen() == begun
    clock.forward(seconds=1)
    accounts.who(token)
    assert seen() == clock.now


def test_a_short_session_in_use_goes_on(store: Store, clock: Clock) -> None:
    short = SETTINGS.model_copy(update={"session_hours": 30 / 3600})
    accounts = Accounts(store, short, clock, hasher=QUICK)
    accounts.create("小王", PASSWORD, "user")
    token = accounts.sign_in("小王", PASSWORD)
    for _ in range(10):
        clock.forward(seconds=20)
        assert accounts.who(token)
    clock.forward(seconds=30)
    assert accounts.who(token) is None


def test_no_session_lasts_longer_than_thirty_days(store: Store, clock: Clock) -> None:
    accounts = Accounts(store, SETTINGS.model_copy(update={"session_hours": 200}), clock, hasher=QUICK)
    accounts.create("小王", PASSWORD, "user")
    token, begun = accounts.sign_in("小王", PASSWORD), clock.now
    for _ in range(4):
        clock.forward(days=7)
        assert accounts.who(token)
    clock.now = begun + timedelta(days=30) - MOMENT
    assert accounts.who(token)
    clock.now += MOMENT
    assert accounts.who(token) is None


def test_ended_sessions_are_cleared_away(
    accounts: Accounts, boss: Account, clock: Clock, store: Store
) -> None:
    for _ in range(3):
        accounts.sign_in("老李", PASSWORD)
        clock.forward(hours=9)
    with store.reading() as connection:
        assert len(connection.execute(sa.select(tables.sessions.c.hash)).all()) == 1


# ---------------------------------------------------------------- locks


@pytest.mark.parametrize("name", ["老李", "nobody"])
def test_repeated_failures_lock_a_name_whether_it_exists_or_not(
    accounts: Accounts, boss: Account, clock: Clock, audit: Audit, name: str
) -> None:
    assert [refused(lambda: accounts.sign_in(name, OTHER)) for _ in range(2)] == [WRONG] * 2
    for password in (OTHER, PASSWORD, OTHER):  # the third locks; then even the right one is refused
        said = refused(lambda password=password: accounts.sign_in(name, password))
        assert said == "连续输错太多次，已经锁定，请 15 分钟后再试，或者请管理员解锁。"
    assert [what for _, what, _ in noted(audit)[1:]] == ["登录失败", "登录失败", "登录失败，锁定"]
    clock.forward(minutes=14, seconds=59.9)
    assert "请 1 分钟后再试" in refused(lambda: accounts.sign_in(name, PASSWORD))
    clock.forward(seconds=0.1)
    if name == "老李":
        assert accounts.sign_in(name, PASSWORD)
    else:
        assert refused(lambda: accounts.sign_in(name, PASSWORD)) == WRONG


def test_a_lock_shows_while_it_lasts_and_survives_a_restart(
    accounts: Accounts, boss: Account, clock: Clock, store: Store, url: str
) -> None:
    token = accounts.sign_in("老李", PASSWORD)
    for _ in range(3):
        refused(lambda: accounts.sign_in("老李", OTHER))
    store.close()
    with closing(Store(url)) as again:
        accounts = Accounts(again, SETTINGS, clock, hasher=QUICK)
        until = clock.now + timedelta(minutes=15)
        assert accounts.listed()[0].locked_until == until
        assert "已经锁定" in refused(lambda: accounts.sign_in("老李", PASSWORD))
        assert accounts.who(token) is not None  # who is in stays in
        clock.now = until
        assert accounts.listed()[0].locked_until is None
        assert refused(lambda: accounts.sign_in("老李", OTHER)) == WRONG  # a new count
        assert accounts.sign_in("老李", PASSWORD)


def test_a_success_begins_the_count_anew(accounts: Accounts, boss: Account) -> None:
    for _ in range(3):
        for _ in range(2):
            assert refused(lambda: accounts.sign_in("老李", OTHER)) == WRONG
        accounts.sign_in("老李", PASSWORD)


def test_failures_of_yesterday_do_not_count(accounts: Accounts, boss: Account, clock: Clock) -> None:
    for forward, said in ((0, WRONG), (0, WRONG), (24, WRONG), (0, WRONG), (23.9, "连续输错")):
        clock.forward(hours=forward)
        assert refused(lambda: accounts.sign_in("老李", OTHER)).startswith(said)


def test_unlocking(accounts: Accounts, boss: Account, audit: Audit) -> None:
    for _ in range(3):
        refused(lambda: accounts.sign_in("老李", OTHER))
    accounts.unlock(boss.id, by="小王")
    assert accounts.sign_in("老李", PASSWORD)
    assert ("小王", "解锁账号", "老李") in noted(audit)


def test_guesses_made_at_once_do_not_outrun_the_count(
    accounts: Accounts, boss: Account, audit: Audit
) -> None:
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: said.append(refused(lambda: accounts.sign_in("老李", OTHER))))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(WRONG) == 2
    assert len(said) == 12
    assert sum(what.startswith("登录失败") for _, what, _ in noted(audit)) == 3


# ---------------------------------------------------------------- changes


def test_changing_ones_own_password(accounts: Accounts, boss: Account, audit: Audit) -> None:
    here, there = accounts.sign_in("老李", PASSWORD), accounts.sign_in("老李", PASSWORD)
    assert refused(lambda: accounts.change_password(boss.id, OTHER, "新的一句自己记得住的话")) == WRONG
    assert "太常见" in refused(lambda: accounts.change_password(boss.id, PASSWORD, "qwertyuiop"))
    assert accounts.who(there) == boss
    accounts.change_password(boss.id, PASSWORD, "新的一句自己记得住的话", keep=here)
    assert accounts.who(here) == boss
    assert accounts.who(there) is None
    assert refused(lambda: accounts.sign_in("老李", PASSWORD)) == WRONG
    assert accounts.sign_in("老李", "新的一句自己记得住的话")
    assert ("老李", "修改密码", "") in noted(audit)


def test_guessing_the_old_password_locks_too(accounts: Accounts, boss: Account) -> None:
    for _ in range(3):
        refused(lambda: accounts.change_password(boss.id, OTHER, "新的一句自己记得住的话"))
    assert "已经锁定" in refused(
        lambda: accounts.change_password(boss.id, PASSWORD, "新的一句自己记得住的话")
    )


def test_a_password_set_by_the_administrator(accounts: Accounts, boss: Account, audit: Audit) -> None:
    made = accounts.create("小王", PASSWORD, "user", by="老李")
    token, bystander = accounts.sign_in("小王", PASSWORD), accounts.sign_in("老李", PASSWORD)
    for _ in range(3):
        refused(lambda: accounts.sign_in("小王", OTHER))
    assert "至少要 10 个字符" in refused(lambda: accounts.set_password(made.id, "短"))
    assert accounts.who(token) == accounts.listed()[1]
    accounts.set_password(made.id, "新的一句自己记得住的话", by="老李")
    assert accounts.who(token) is None
    assert accounts.who(bystander) == boss
    assert accounts.sign_in("小王", "新的一句自己记得住的话")
    assert ("老李", "重设密码", "小王") in noted(audit)


def test_switching_off_and_on(accounts: Accounts, boss: Account, audit: Audit) -> None:
    made = accounts.create("小王", PASSWORD, "trainer")
    token = accounts.sign_in("小王", PASSWORD)
    accounts.set_active(made.id, False, by="老李")
    assert accounts.who(token) is None
    assert refused(lambda: accounts.sign_in("小王", OTHER)) == WRONG
    assert refused(lambda: accounts.sign_in("小王", PASSWORD)) == "这个账号已经停用，请联系管理员。"
    accounts.set_active(made.id, True, by="老李")
    assert accounts.who(token) is None
    assert accounts.sign_in("小王", PASSWORD)
    assert [e for e in noted(audit) if e[0] == "老李"] == [
        ("老李", "停用账号", "小王"),
        ("老李", "启用账号", "小王"),
    ]


def test_a_new_role_counts_at_once(accounts: Accounts, boss: Account, audit: Audit) -> None:
    made = accounts.create("小王", PASSWORD, "user")
    token = accounts.sign_in("小王", PASSWORD)
    accounts.set_role(made.id, "trainer", by="老李")
    who = accounts.who(token)
    assert who is not None
    assert who.role == "trainer"
    assert ("老李", "改为培训员", "小王") in noted(audit)


def test_the_last_administrator_stays(accounts: Accounts, boss: Account) -> None:
    token = accounts.sign_in("老李", PASSWORD)
    for change in (
        lambda: accounts.set_role(boss.id, "user"),
        lambda: accounts.set_active(boss.id, False),
    ):
        assert "最后一个管理员" in refused(change)
    assert accounts.who(token) == boss
    second = accounts.create("小王", PASSWORD, "administrator")
    accounts.set_active(second.id, False)
    assert "最后一个管理员" in refused(lambda: accounts.set_role(boss.id, "trainer"))
    accounts.set_active(second.id, True)
    accounts.set_role(boss.id, "trainer")
    assert "最后一个管理员" in refused(lambda: accounts.set_active(second.id, False))
    assert accounts.any()


def test_two_administrators_cannot_switch_each_other_off_at_once(accounts: Accounts, boss: Account) -> None:
    both = [boss.id, *(accounts.create(f"管理员{n}", PASSWORD, "administrator").id for n in range(3))]
    said: list[str] = []

    def work(id: int) -> None:
        try:
            accounts.set_active(id, False)
        except AccountError as error:
            said.append(str(error))

    threads = [threading.Thread(target=work, args=(id,)) for id in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 1
    assert sum(account.active for account in accounts.listed()) == 1


def test_an_account_that_does_not_exist(accounts: Accounts) -> None:
    for change in (
        lambda: accounts.set_role(99, "user"),
        lambda: accounts.set_active(99, False),
        lambda: accounts.set_password(99, PASSWORD),
        lambda: accounts.change_password(99, PASSWORD, PASSWORD),
        lambda: accounts.unlock(99),
    ):
        assert "没有这个账号" in refused(change)
    assert accounts.named("nobody") is None


# ---------------------------------------------------------------- from the terminal

COMMAND = str(Path(sys.executable).parent / "zeming")


class Terminal:
    """Runs ``zeming account`` in a data folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(account, arguments, env={"ZEMING_DATA": str(self.data)})

    def refusal(self, *arguments: str) -> str:
        done = self(*arguments)
        assert isinstance(done.exception, ZemingError), done.output
        return str(done.exception)


@pytest.fixture
def zeming(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "data")


def test_accounts_from_the_terminal(zeming: Terminal, tmp_path: Path) -> None:
    password = tmp_path / "password.txt"
    password.write_text(f"{PASSWORD}\nanother line\n", "utf-8")
    assert "还没有账号" in zeming("list").stderr
    done = zeming("add", "老李", "--role", "administrator", "--password-file", str(password))
    assert (done.exit_code, done.stderr) == (0, "已新建账号“老李”，角色：管理员。\n")
    assert zeming("add", "小王", "--password-file", str(password)).exit_code == 0
    assert "角色现在是：培训员" in zeming("role", "小王", "trainer").stderr
    assert "已停用“小王”" in zeming("disable", "小王").stderr
    listed = zeming("list").stdout
    assert "老李  管理员" in listed
    assert "小王  培训员" in listed
    assert "已停用" in listed
    assert "已启用“小王”" in zeming("enable", "小王").stderr
    assert "已解锁“小王”" in zeming("unlock", "小王").stderr
    assert "原来的登录都已失效" in zeming("password", "小王", "--password-file", str(password)).stderr
    rows = json.loads(zeming("list", "--json").stdout)
    assert [(r["name"], r["role"], r["active"], r["locked_until"]) for r in rows] == [
        ("老李", "administrator", True, None),
        ("小王", "trainer", True, None),
    ]
    log = json.loads(zeming("log", "--json").stdout)
    assert [row["what"] for row in reversed(log)] == [
        *(
            "新建账号（管理员）",
            "新建账号（用户）",
            "改为培训员",
            "停用账号",
            "启用账号",
            "解锁账号",
            "重设密码",
        )
    ]
    assert {row["who"] for row in log} == {"命令行"}
    assert "命令行  重设密码  小王" in zeming("log", "-n", "1").stdout


def test_what_cannot_be_done_from_the_terminal(zeming: Terminal, tmp_path: Path) -> None:
    weak, binary = tmp_path / "weak.txt", tmp_path / "binary.txt"
    weak.write_text("short")
    binary.write_bytes(b"\xff\xfe\xff")
    for arguments, said in (
        (("add", "老李"), "没有可以输入密码的终端，请用 --password-file 写明密码文件。"),
        (("add", "老李", "--password-file", str(weak)), "密码至少要 10 个字符"),
        (("add", "老李", "--password-file", str(binary)), "不是 UTF-8 编码"),
        (("add", "老李", "--password-file", str(tmp_path / "none")), "读不了文件"),
        (("disable", "老李"), "没有叫“老李”的账号"),
    ):
        assert said in zeming.refusal(*arguments)


def test_the_command_says_one_sentence_where_it_cannot_go_on(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"broken" * 1000)
    done = subprocess.run(
        [COMMAND, "account", "list"],
        capture_output=True,
        text=True,
        env={**os.environ, "ZEMING_DATA": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "已损坏，请用备份替换它" in done.stderr


@pytest.mark.parametrize(("again", "said"), [(PASSWORD, "已新建账号"), (OTHER, "两次输入的密码不一样")])
def test_a_password_is_typed_twice_and_not_shown(tmp_path: Path, again: str, said: str) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.environ["ZEMING_DATA"] = str(tmp_path)
        os.execv(COMMAND, [COMMAND, "account", "add", "老李", "--role", "administrator"])
    shown = _until(terminal, "新密码（不显示）：")
    os.write(terminal, f"{PASSWORD}\n".encode())
    shown += _until(terminal, "再输一次：")
    os.write(terminal, f"{again}\n".encode())
    shown += _until(terminal, "。")
    os.waitpid(child, 0)
    os.close(terminal)
    assert said in shown
    assert PASSWORD not in shown
    with closing(sqlite3.connect(tmp_path / "records.db")) as connection:
        assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (int(again == PASSWORD),)


def _until(terminal: int, words: str) -> str:
    """What is shown on a terminal, up to some words."""
    shown, end = b"", time.monotonic() + 60
    while words.encode() not in shown:
        assert time.monotonic() < end, shown.decode()
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096)
    return shown.decode()
