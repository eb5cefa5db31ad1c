"""Accounts of an office: who may sign in, as what, and for how long.

Comes in: names, passwords, tokens. Goes out: :class:`Account`, and a token for each sign-in. Of passwords only their
Argon2 hash is kept, of tokens only their SHA-256. Whether a name exists can be told neither from what is said nor
from how long it takes nor from whether it is locked. Raises :class:`assistant.errors.AccountError`.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

import argon2
import sqlalchemy as sa
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from assistant.errors import AccountError
from assistant.records.audit import Audit
from assistant.records.passwords import PasswordRules, spelling
from assistant.records.store import Store
from assistant.records.tables import accounts, failures, sessions
from assistant.settings import Settings

Role = Literal["administrator", "trainer", "user"]

ROLES: dict[Role, str] = {"administrator": "管理员", "trainer": "培训员", "user": "用户"}
LONGEST_NAME = 32
_LONGEST_SESSION = timedelta(days=30)
_NOTED = timedelta(minutes=1)  # how often it is written down that a session is in use
_FORGOTTEN = timedelta(days=1)  # failures this long ago no longer count
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # characters that do not show, or break the line
_PROGRAM = "系统"  # who has done it, where nobody is named


@dataclass(frozen=True)
class Account:
    """Someone who may sign in."""

    id: int
    name: str
    role: Role
    active: bool
    created: datetime
    locked_until: datetime | None


class Accounts:
    """All accounts and their sessions. ``by`` is the name of whoever asks for a change, for the log."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Callable[[], datetime],
        audit: Audit | None = None,
        hasher: argon2.PasswordHasher | None = None,
    ) -> None:
        self._store, self._settings, self._clock, self._audit = store, settings, clock, audit
        self._hasher = hasher or argon2.PasswordHasher()
        self._rules = PasswordRules(settings.prompts)
        self._idle = timedelta(hours=settings.session_hours)
        # one password at a time: each takes 64 MiB, and guesses made at once must not outrun the count
        self._turn = threading.Lock()

    # ------------------------------------------------------------ reading

    def any(self) -> bool:
        """Whether there is an active administrator."""
        with self._store.reading() as connection:
            return _administrators(connection) > 0

    def listed(self) -> tuple[Account, ...]:
        """All accounts, the oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(_ACCOUNTS.order_by(accounts.c.id)).all()
        return tuple(self._account(row) for row in rows)

    def named(self, name: str) -> Account | None:
        """The account of that name, in whatever letters."""
        with self._store.reading() as connection:
            row = connection.execute(_ACCOUNTS.where(accounts.c.key == _key(name))).first()
        return self._account(row) if row else None

    def who(self, token: str) -> Account | None:
        """Whose session it is; None where it has ended or never was. Asking keeps it alive."""
        now, hash = self._clock(), _hash(token)
        query = _ACCOUNTS.add_columns(sessions.c.created.label("begun"), sessions.c.seen)
        query = query.join(sessions, sessions.c.account_id == accounts.c.id).where(sessions.c.hash == hash)
        with self._store.reading() as connection:
            row = connection.execute(query).first()
        if not row or not row.active or now - row.seen >= self._idle or now - row.begun >= _LONGEST_SESSION:
            return None
        if now - row.seen >= min(_NOTED, self._idle / 10):
            with self._store.writing() as connection:
                connection.execute(sessions.update().where(sessions.c.hash == hash).values(seen=now))
        return self._account(row)

    # ------------------------------------------------------------ signing in and out

    def sign_in(self, name: str, password: str) -> str:
        """A token for a new session.

        Raises:
            AccountError: name or password are wrong, the name is locked, or the account is switched off.
        """
        row = self._proven(_key(name), password)
        now, token = self._clock(), secrets.token_urlsafe(32)
        with self._store.writing() as connection:
            connection.execute(
                sessions.delete().where(
                    (sessions.c.seen <= now - self._idle) | (sessions.c.created <= now - _LONGEST_SESSION)
                )
            )
            connection.execute(
                sessions.insert().values(hash=_hash(token), account_id=row.id, created=now, seen=now)
            )
        self._note(row.name, "登录")
        return token

    def sign_out(self, token: str) -> None:
        """End a session."""
        account = self.who(token)
        with self._store.writing() as connection:
            connection.execute(sessions.delete().where(sessions.c.hash == _hash(token)))
        if account:
            self._note(account.name, "退出登录")

    # ------------------------------------------------------------ changes

    def create(self, name: str, password: str, role: Role, *, by: str = _PROGRAM) -> Account:
        """A new account.

        Raises:
            AccountError: the name is taken or cannot be one, the password is weak.
        """
        return self._create(name, password, role, by, first=False)

    def create_first(self, name: str, password: str) -> Account:
        """The first administrator; only while there is none, however many ask at once.

        Raises:
            AccountError: as :meth:`create`, or there is one already.
        """
        return self._create(name, password, "administrator", _PROGRAM, first=True)

    def change_password(self, id: int, old: str, new: str, *, keep: str = "") -> None:
        """By the person himself. Ends his sessions, all but the one of the token ``keep``.

        Raises:
            AccountError: the old password is wrong, the new one is weak.
        """
        row = self._row(id)
        self._rules.check(row.name, new)
        self._proven(row.key, old)
        self._store_password(id, new, keep)
        self._note(row.name, "修改密码")

    def set_password(self, id: int, new: str, *, by: str = _PROGRAM) -> None:
        """By an administrator. Ends all sessions of the account and unlocks it.

        Raises:
            AccountError: the password is weak, or there is no such account.
        """
        row = self._row(id)
        self._rules.check(row.name, new)
        self._store_password(id, new)
        self._unlock(row.key)
        self._note(by, "重设密码", row.name)

    def set_role(self, id: int, role: Role, *, by: str = _PROGRAM) -> None:
        """Make somebody something else.

        Raises:
            AccountError: no administrator would be left, or there is no such account.
        """
        row = self._row(id)
        self._change(id, role=_role(role))
        self._note(by, f"改为{ROLES[role]}", row.name)

    def set_active(self, id: int, active: bool, *, by: str = _PROGRAM) -> None:
        """Switch an account off or on again; off ends its sessions.

        Raises:
            AccountError: no administrator would be left, or there is no such account.
        """
        row = self._row(id)
        self._change(id, active=active)
        self._note(by, "启用账号" if active else "停用账号", row.name)

    def unlock(self, id: int, *, by: str = _PROGRAM) -> None:
        """Let somebody try again before the lock ends.

        Raises:
            AccountError: there is no such account.
        """
        row = self._row(id)
        self._unlock(row.key)
        self._note(by, "解锁账号", row.name)

    # ------------------------------------------------------------ inside

    def _create(self, name: str, password: str, role: Role, by: str, first: bool) -> Account:
        name, key = _name(name), _key(name)
        self._rules.check(name, password)
        with self._turn:
            hash = self._hasher.hash(_bytes(password))
        row = {
            "key": key,
            "name": name,
            "role": _role(role),
            "active": True,
            "password": hash,
            "created": self._clock(),
        }
        with self._store.writing(alone=accounts) as connection:
            if first and _administrators(connection):
                raise AccountError("已经有管理员了，请用他的账号登录，或者请他给您开账号。")
            if connection.execute(sa.select(accounts.c.id).where(accounts.c.key == key)).first():
                raise AccountError(f"已经有叫“{name}”的账号，请换一个名字。")
            connection.execute(accounts.insert().values(row))
        self._note(by, f"新建账号（{ROLES[role]}）", name)
        made = self.named(name)
        assert made is not None  # noqa: S101 - accounts are never deleted
        return made

    def _change(self, id: int, **values: Any) -> None:
        with self._store.writing(alone=accounts) as connection:
            had = _administrators(connection)
            connection.execute(accounts.update().where(accounts.c.id == id).values(values))
            if had and not _administrators(connection):
                raise AccountError("这是最后一个管理员，不能停用或改成别的角色；请先另设一个管理员。")
            if values.get("active") is False:
                connection.execute(sessions.delete().where(sessions.c.account_id == id))

    def _store_password(self, id: int, new: str, keep: str = "") -> None:
        with self._turn:
            hash = self._hasher.hash(_bytes(new))
        ended = (sessions.c.account_id == id) & (sessions.c.hash != _hash(keep))
        with self._store.writing() as connection:
            connection.execute(accounts.update().where(accounts.c.id == id).values(password=hash))
            connection.execute(sessions.delete().where(ended))

    def _unlock(self, key: str) -> None:
        with self._store.writing() as connection:
            connection.execute(failures.delete().where(failures.c.key == key))

    def _proven(self, key: str, password: str) -> Any:
        """The row of the account, if the password is its own; failures are counted."""
        with self._turn:
            now = self._clock()
            with self._store.reading() as connection:
                until = connection.execute(
                    sa.select(failures.c.locked_until).where(failures.c.key == key)
                ).scalar()
                row = connection.execute(sa.select(accounts).where(accounts.c.key == key)).first()
            if until is not None and until > now:
                raise _locked(until - now)
            nobody = self._nobody  # made at the first sign-in, whoever it is
            right = self._verified(row.password if row else nobody, password)
            if row and right and row.active:
                renewed = (
                    self._hasher.hash(_bytes(password))
                    if self._hasher.check_needs_rehash(row.password)
                    else None
                )
                with self._store.writing() as connection:
                    connection.execute(failures.delete().where(failures.c.key == key))
                    if renewed:
                        connection.execute(
                            accounts.update().where(accounts.c.id == row.id).values(password=renewed)
                        )
                return row
            locked = self._failed(key, now)
        self._note(row.name if row else "没有的账号", "登录失败，锁定" if locked else "登录失败")
        if locked:
            raise _locked(timedelta(minutes=self._settings.lock_minutes))
        if row and right:
            raise AccountError("这个账号已经停用，请联系管理员。")
        raise AccountError("账号或密码不对，请检查后再试。")

    @cached_property
    def _nobody(self) -> str:
        """What the password of a name that does not exist is compared with, so that it takes as long."""
        return self._hasher.hash(secrets.token_bytes(16))

    def _verified(self, hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    def _failed(self, key: str, now: datetime) -> bool:
        """Count a failure; whether the name is locked by it."""
        insert = sqlite.insert if self._store.sqlite else postgresql.insert
        forgotten = failures.c.locked_until.is_(None) & (failures.c.last <= now - _FORGOTTEN)
        counted = (
            insert(failures)
            .values(key=key, count=1, last=now)
            .on_conflict_do_update(
                index_elements=[failures.c.key], set_={"count": failures.c.count + 1, "last": now}
            )
            .returning(failures.c.count)
        )
        with self._store.writing() as connection:
            # a lock that has ended begins a new count
            connection.execute(failures.delete().where(forgotten | (failures.c.locked_until <= now)))
            if int(connection.execute(counted).scalar_one()) < self._settings.max_failures:
                return False
            until = now + timedelta(minutes=self._settings.lock_minutes)
            connection.execute(failures.update().where(failures.c.key == key).values(locked_until=until))
        return True

    def _row(self, id: int) -> Any:
        with self._store.reading() as connection:
            row = connection.execute(sa.select(accounts).where(accounts.c.id == id)).first()
        if row is None:
            raise AccountError("没有这个账号，请看看账号列表。")
        return row

    def _account(self, row: Any) -> Account:
        locked = row.locked_until
        until = locked if locked is not None and locked > self._clock() else None
        return Account(row.id, row.name, row.role, row.active, row.created, until)

    def _note(self, who: str, what: str, about: str = "") -> None:
        if self._audit:
            self._audit.note(who, what, about)


_ACCOUNTS = sa.select(
    accounts.c.id,
    accounts.c.name,
    accounts.c.role,
    accounts.c.active,
    accounts.c.created,
    failures.c.locked_until,
).select_from(accounts.outerjoin(failures, failures.c.key == accounts.c.key))


def _administrators(connection: Connection) -> int:
    """How many active administrators there are."""
    query = sa.select(sa.func.count()).select_from(accounts)
    return int(
        connection.execute(query.where(accounts.c.active, accounts.c.role == "administrator")).scalar_one()
    )


def _name(name: str) -> str:
    """A name as it is kept.

    Raises:
        AccountError: it cannot be one.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise AccountError(f"账号名要有 1 到 {LONGEST_NAME} 个字，请改一改。")
    if any(unicodedata.category(character) in _UNSEEN for character in name):
        raise AccountError("账号名里有看不见的字符，请重新输入。")
    return name


def _key(name: str) -> str:
    """Names that only look different have one key. Its hash, as people type passwords into the wrong field."""
    return _hash(" ".join(unicodedata.normalize("NFKC", name).casefold().split()))


def _role(role: Role) -> Role:
    if role not in ROLES:
        raise AccountError(f"没有“{role}”这个角色，请用 {'、'.join(ROLES)} 之一。")
    return role


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _bytes(password: str) -> bytes:
    return spelling(password).encode("utf-8", "surrogatepass")


def _locked(rest: timedelta) -> AccountError:
    minutes = max(1, math.ceil(rest / timedelta(minutes=1)))
    return AccountError(f"连续输错太多次，已经锁定，请 {minutes} 分钟后再试，或者请管理员解锁。")
