"""The database of records: SQLite in the data folder, or PostgreSQL by its address.

Comes in: an address. Goes out: :class:`Store`, with transactions to read, write and erase in. Everything that the
database says is turned into one sentence (:class:`assistant.errors.RecordsError`) that never holds a password.
Erased means erased where the database is a SQLite file: no byte of it stays in the file or beside it. PostgreSQL
keeps what was erased in its log and its free space until it needs the room; that is for its administrator to settle.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from assistant.errors import RecordsError
from assistant.records import tables
from assistant.settings import Settings

NEWEST = "0001"  # the version of the tables that this program works with
_VERSIONS = "records_version"  # the table in which Alembic keeps the version
_WAIT = 10  # seconds to wait for another writer
_START_WAIT = 60  # seconds to wait for another process that is bringing the tables up to date
_LOCK = 5_930_227_814  # the number by which processes agree, in PostgreSQL, on who does that
# a file that is closed by one thread loses the locks that another one has on it: none is opened but new ones
_MAKING = threading.Lock()
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def open_store(settings: Settings) -> Store:
    """The store that the settings name, brought to the newest version.

    Raises:
        RecordsError: it cannot be opened.
    """
    named = settings.records_url.get_secret_value().strip()
    if named:
        return Store(named)
    file = settings.data / "records.db"
    _keep_to_oneself(settings.data)
    return Store(URL.create("sqlite", database=str(file)).render_as_string())


def storable(text: str) -> str:
    """A text as both databases can keep it: without NUL, and with a mark in place of halves of characters."""
    return _SURROGATES.sub("\ufffd", text.replace("\0", ""))


class Store:
    """An open database; safe from several threads. Close it at the end."""

    def __init__(self, url: str) -> None:
        """Opens ``sqlite:///…`` or ``postgresql://…`` and brings its tables to the newest version.

        Raises:
            RecordsError: it cannot be opened, or a newer program has written it.
        """
        self._url = _address(url)
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self._file = Path(self._url.database or "") if self.sqlite else None
        # one writer at a time is what SQLite can do; waiting here is fairer than asking it again and again
        self._turn: Any = threading.Lock() if self.sqlite else nullcontext()
        try:
            with self._told():
                if self._file:
                    _make_file(self._file)
                self._engine = _engine(self._url)
                self._writer = self._engine.execution_options(writes=True)
                self._upgrade()
            self.scrub()
        except BaseException:
            if hasattr(self, "_engine"):
                self._engine.dispose()
            raise

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def dialect(self) -> Dialect:
        """Which database it is, for what they write differently."""
        return self._engine.dialect

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction to read in."""
        with self._told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, alone: sa.Table | None = None) -> Iterator[Connection]:
        """A transaction to write in. With ``alone`` nobody else writes that table meanwhile."""
        with self._told(), self._turn, self._writer.begin() as connection:
            if alone is not None and not self.sqlite:
                connection.execute(sa.text(f"LOCK TABLE {alone.name} IN SHARE ROW EXCLUSIVE MODE"))
            yield connection

    def erase(self, *deletions: sa.Delete) -> int:
        """Delete rows so that nothing of them stays in the file; how many there were."""
        with self.writing() as connection:
            count = sum(connection.execute(deletion).rowcount for deletion in deletions)
            if count and self.sqlite:  # a mark that there is something to scrub, another one each time
                connection.exec_driver_sql(f"PRAGMA user_version = {secrets.randbelow(2**31 - 1) + 1}")
        self.scrub()
        return count

    def scrub(self) -> None:
        """Write the file anew if something was deleted since the last time.

        ``secure_delete`` overwrites deleted rows, but not the copies that stay where rows were moved from page to
        page. If the file is in use for too long, or the program is killed, the next call does it.
        """
        if not self.sqlite:
            return
        with suppress(sqlite3.OperationalError), self._turn, closing(self._engine.raw_connection()) as raw:
            cursor: Any = raw.cursor()
            if not (mark := cursor.execute("PRAGMA user_version").fetchone()[0]):
                return
            cursor.execute("VACUUM")
            cursor.execute("BEGIN IMMEDIATE")
            if cursor.execute("PRAGMA user_version").fetchone()[0] == mark:
                cursor.execute("PRAGMA user_version = 0")
            cursor.execute("COMMIT")

    # ------------------------------------------------------------ opening

    def _upgrade(self) -> None:
        """Bring the tables to the newest version; processes that start together take turns."""
        if self._version() == NEWEST:
            return
        if self._file:
            lock = FileLock(self._file.with_name(self._file.name + ".lock"), timeout=_START_WAIT, mode=0o600)
            try:
                with lock:
                    self._migrate()
            except Timeout as error:
                raise RecordsError(_BUSY.format(place=self._place)) from error
        else:
            self._migrate()

    def _migrate(self) -> None:
        from alembic.config import Config  # late: most starts have nothing to bring up to date
        from alembic.runtime.environment import EnvironmentContext
        from alembic.script import ScriptDirectory

        scripts = ScriptDirectory(Path(__file__).with_name("migrations"))

        def steps(revision: Any, _context: Any) -> Any:
            return scripts._upgrade_revs(NEWEST, revision)

        with self._writer.begin() as connection:
            if not self.sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                encoding = connection.execute(sa.text("SHOW server_encoding")).scalar()
                if encoding != "UTF8":
                    raise RecordsError(
                        f"{self._place} 的编码是 {encoding}，存不全汉字，请用 UTF8 编码另建一个数据库。"
                    )
            if self._version(connection) == NEWEST:  # somebody else has done it meanwhile
                return
            with EnvironmentContext(Config(), scripts, fn=steps) as environment:
                environment.configure(connection=connection, version_table=_VERSIONS, transactional_ddl=True)
                environment.run_migrations()

    def _version(self, connection: Connection | None = None) -> str | None:
        """The version of the tables; None while there are none.

        Raises:
            RecordsError: a newer program has written them, or they are somebody else's.
        """
        if connection is None:
            with self._engine.begin() as connection:
                return self._version(connection)
        names = set(sa.inspect(connection).get_table_names())
        if _VERSIONS not in names:
            if taken := names & set(tables.metadata.tables):
                raise RecordsError(
                    f"{self._place} 里已有别的程序的表（{'、'.join(sorted(taken))}），请给责明另用一个数据库。"
                )
            return None
        found = connection.execute(
            sa.select(sa.column("version_num")).select_from(sa.table(_VERSIONS))
        ).scalar()
        if found is not None and found > NEWEST:
            raise RecordsError(
                f"{self._place} 是更新版本的责明写的（{found}，本程序认得到 {NEWEST}），请升级程序后再打开。"
            )
        return found

    # ------------------------------------------------------------ what goes wrong, in a sentence

    @property
    def _place(self) -> str:
        return _place(self._url)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise RecordsError(self._sentence(error)) from error
        except OSError as error:
            raise RecordsError(
                f"{self._place} 打不开（{error.strerror or error}），请检查文件夹和权限。"
            ) from error

    def _sentence(self, error: SQLAlchemyError) -> str:
        cause = error.orig if isinstance(error, DBAPIError) else error
        reason = _reason(cause, self._url.password)
        if isinstance(error, sa.exc.TimeoutError) or re.search("locked|busy", reason):
            return _BUSY.format(place=self._place)
        if self.sqlite and re.search("not a database|malformed", reason):
            return f"{self._place} 已损坏，请用备份替换它，或者把它移走（记录会从空的开始）。"
        if self.sqlite:
            return f"{self._place} 打不开或者写不了（{reason}），请检查磁盘空间和权限。"
        if isinstance(error, sa.exc.OperationalError):
            return f"{self._place} 连不上（{reason}），请检查它是否在运行，地址、用户名和密码是否正确。"
        return f"{self._place} 用不了（{reason}），请检查数据库和用户的权限。"


_BUSY = "{place} 正被别的程序占用，请稍等再试；一直这样就请关掉别的程序。"


def _address(url: str) -> URL:
    """The address with the driver that is used.

    Raises:
        RecordsError: it is no address, or of another kind of database.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None:  # said here, as the error that was caught may quote the password
        raise RecordsError(
            "设置 ZEMING_RECORDS_URL 不是数据库地址，请写成 postgresql://用户:密码@主机/库名。"
        )
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise RecordsError(
        f"设置 ZEMING_RECORDS_URL 用了不支持的数据库（{parsed.drivername}），"
        "请写 postgresql:// 或 sqlite:///文件 的地址，或者留空。"
    )


def _place(url: URL) -> str:
    """The database in words, without user and password."""
    if url.get_backend_name() == "sqlite":
        return f"记录数据库 {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"记录数据库 postgresql://{url.host or ''}{port}/{url.database or ''}"


def _reason(cause: BaseException | None, password: object) -> str:
    """The first line of what the database said: further ones may quote what was to be kept."""
    lines = str(cause).strip().splitlines() or [""]
    return lines[0].replace(str(password), "***") if password else lines[0]


def _engine(url: URL) -> Engine:
    common: dict[str, Any] = {"hide_parameters": True, "pool_size": 8, "max_overflow": 24}
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": _WAIT}, **common)
        sa.event.listen(engine, "connect", _prepare)
        sa.event.listen(engine, "begin", _begin)
        return engine
    arguments = {"connect_timeout": _WAIT, "client_encoding": "utf8"}
    try:
        return sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, **common)
    except ImportError as error:
        raise RecordsError(
            "没有装 PostgreSQL 的驱动，请运行 pip install 'psycopg[binary]'，"
            "或者把 ZEMING_RECORDS_URL 留空改用 SQLite。"
        ) from error


def _prepare(connection: Any, _record: Any) -> None:
    """A new connection to a SQLite file."""
    connection.isolation_level = None  # transactions are begun by _begin alone
    for setting in (
        "foreign_keys = ON",
        "secure_delete = ON",
        "journal_mode = DELETE",  # a log that stayed would keep deleted words
        "temp_store = MEMORY",  # and so would a temporary file
    ):
        connection.execute(f"PRAGMA {setting}").close()


def _begin(connection: Connection) -> None:
    """Who is going to write says so at once: to turn from reading to writing half-way may fail."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_file(file: Path) -> None:
    """An empty file that only its owner can read, in a folder that only its owner can enter."""
    file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    with _MAKING:
        if not file.exists():
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    with suppress(PermissionError):  # somebody else's file that we may write
        file.chmod(0o600)


def _keep_to_oneself(folder: Path) -> None:
    """Shut the data folder to others, unless it is one that everybody uses."""
    try:
        found = folder.stat()
        if found.st_mode & 0o077 and not found.st_mode & stat.S_ISVTX:
            folder.chmod(0o700)
    except OSError:  # there is none yet, or it is somebody else's
        return
