"""The commands ``zeming account``: accounts of an office, from the terminal. ``assistant.cli`` has the ``except``.

Passwords are asked for twice and never shown, or read from a file; they are no arguments, as everybody on the machine
can see those.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from assistant.errors import AccountError, InputFileError
from assistant.settings import load_settings
from assistant.terminal import err, out

if TYPE_CHECKING:
    from assistant.records.accounts import Account, Accounts
    from assistant.records.audit import Audit

account = typer.Typer(help="账号：新建、列出、改密码和角色、停用、解锁、看登录记录。", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Name = Annotated[str, typer.Argument(help="账号名")]
Role = Literal["administrator", "trainer", "user"]
PasswordFile = Annotated[Path | None, typer.Option(help="从文件的第一行读密码（给脚本用）；不写就在终端里问")]
_HERE = "命令行"  # who has done it, in the log


@account.command("add")
def account_add(
    name: Name,
    role: Annotated[
        Role, typer.Option(help="administrator 管理员，trainer 培训员（能改知识库），user 用户")
    ] = "user",
    password_file: PasswordFile = None,
) -> None:
    """新建账号；密码至少十个字符。"""
    with _opened() as (accounts, _):
        made = accounts.create(name, _password(password_file), role, by=_HERE)
    err.print(f"已新建账号“{made.name}”，角色：{_role(made)}。", markup=False)


@account.command("list")
def account_list(as_json: Json = False) -> None:
    """列出账号。"""
    with _opened() as (accounts, _):
        listed = accounts.listed()
    if as_json:
        _print(
            [
                {
                    "id": a.id,
                    "name": a.name,
                    "role": a.role,
                    "active": a.active,
                    "created": a.created.isoformat(),
                    "locked_until": a.locked_until.isoformat() if a.locked_until else None,
                }
                for a in listed
            ]
        )
        return
    for a in listed:
        state = [] if a.active else ["已停用"]
        state += [f"锁定到 {_local(a.locked_until)}"] if a.locked_until else []
        out.print("  ".join([a.name, _role(a), f"{_local(a.created)} 新建", *state]), markup=False)
    if not listed:
        err.print("还没有账号，请用 zeming account add 名字 --role administrator 建第一个。", markup=False)


@account.command("password")
def account_password(name: Name, password_file: PasswordFile = None) -> None:
    """重设密码：同时解锁，并让这个账号在各处重新登录。"""
    with _opened() as (accounts, _):
        found = _named(accounts, name)
        accounts.set_password(found.id, _password(password_file), by=_HERE)
    err.print(f"已重设“{found.name}”的密码，原来的登录都已失效。", markup=False)


@account.command("role")
def account_role(name: Name, role: Annotated[Role, typer.Argument(help="新的角色")]) -> None:
    """改角色：administrator 管理员，trainer 培训员，user 用户。"""
    with _opened() as (accounts, _):
        accounts.set_role(_named(accounts, name).id, role, by=_HERE)
        found = _named(accounts, name)
    err.print(f"“{found.name}”的角色现在是：{_role(found)}。", markup=False)


@account.command("disable")
def account_disable(name: Name) -> None:
    """停用账号：不能再登录，已登录的立即退出；记录都留着。"""
    with _opened() as (accounts, _):
        found = _named(accounts, name)
        accounts.set_active(found.id, False, by=_HERE)
    err.print(f"已停用“{found.name}”。", markup=False)


@account.command("enable")
def account_enable(name: Name) -> None:
    """重新启用账号。"""
    with _opened() as (accounts, _):
        found = _named(accounts, name)
        accounts.set_active(found.id, True, by=_HERE)
    err.print(f"已启用“{found.name}”。", markup=False)


@account.command("unlock")
def account_unlock(name: Name) -> None:
    """解锁：密码输错太多次被锁定的，马上可以再试。"""
    with _opened() as (accounts, _):
        found = _named(accounts, name)
        accounts.unlock(found.id, by=_HERE)
    err.print(f"已解锁“{found.name}”。", markup=False)


@account.command("log")
def account_log(
    most: Annotated[int, typer.Option("-n", min=1, max=100_000, help="最多几行")] = 50,
    as_json: Json = False,
) -> None:
    """登录、账号变动和知识库改动的记录，新的在前；不含案情。"""
    with _opened() as (_, audit):
        events = audit.listed(most)
    if as_json:
        _print([{"at": e.at.isoformat(), "who": e.who, "what": e.what, "about": e.about} for e in events])
        return
    for e in events:
        out.print("  ".join(filter(None, [_local(e.at, seconds=True), e.who, e.what, e.about])), markup=False)
    if not events:
        err.print("还没有记录。", markup=False)


@contextmanager
def _opened() -> Iterator[tuple[Accounts, Audit]]:
    from assistant.records.accounts import Accounts
    from assistant.records.audit import Audit
    from assistant.records.store import open_store

    settings = load_settings()
    with closing(open_store(settings)) as store:
        audit = Audit(store, _now)
        yield Accounts(store, settings, _now, audit), audit


def _named(accounts: Accounts, name: str) -> Account:
    found = accounts.named(name)
    if found is None:
        raise AccountError(f"没有叫“{name}”的账号，请用 zeming account list 看看有哪些。")
    return found


def _password(file: Path | None) -> str:
    """The new password: the first line of the file, or typed twice.

    Raises:
        InputFileError: the file cannot be read, or there is no terminal to ask on.
        AccountError: the two are not the same.
    """
    if file is not None:
        try:
            lines = file.read_text("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise InputFileError(f"{file.name} 不是 UTF-8 编码，请另存为 UTF-8 后再试。") from error
        except OSError as error:
            raise InputFileError(f"读不了文件 {file}（{error.strerror}），请检查路径。") from error
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise InputFileError("没有可以输入密码的终端，请用 --password-file 写明密码文件。")
    try:
        typed = getpass.getpass("新密码（不显示）：")
        again = getpass.getpass("再输一次：")
    except EOFError as error:
        raise InputFileError("没有输入密码，什么也没有改。") from error
    if typed != again:
        raise AccountError("两次输入的密码不一样，请重来一次。")
    return typed


def _role(of: Account) -> str:
    from assistant.records.accounts import ROLES

    return ROLES[of.role]


def _local(moment: datetime, seconds: bool = False) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}" if seconds else f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _now() -> datetime:
    return datetime.now(UTC)


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
