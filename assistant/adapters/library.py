"""The documents that were taken in: one SQLite file, and the originals beside it.

Comes in: what :mod:`assistant.importing` and :mod:`assistant.syncing` read. Goes out: :class:`Shelf`, documents,
regulations. All that one call adds or removes is one transaction: interrupted or killed, it leaves nothing.
An original is written before the transaction that names it ends, and one that nothing names is removed at the next
change.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from assistant.errors import LibraryError
from assistant.model import Document, Instrument, Provision, Regulation, Shelf, Taken

_SCHEMA = 1
_WAIT_SECONDS = 10.0
_TABLES = """
CREATE TABLE documents (
    id TEXT PRIMARY KEY, seq INTEGER UNIQUE NOT NULL, document TEXT NOT NULL, origin TEXT NOT NULL,
    instrument_id TEXT NOT NULL, relation TEXT NOT NULL, content_sha TEXT NOT NULL, words_sha TEXT NOT NULL,
    original TEXT, instrument TEXT, regulation TEXT
);
CREATE INDEX documents_by_content ON documents (content_sha);
CREATE INDEX documents_by_words ON documents (words_sha);
CREATE INDEX documents_by_instrument ON documents (instrument_id);
CREATE TABLE passages (
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE, position INTEGER NOT NULL,
    id TEXT NOT NULL, article TEXT, paragraph INTEGER, item INTEGER, label TEXT NOT NULL, topic TEXT NOT NULL,
    text TEXT NOT NULL, section TEXT NOT NULL, page INTEGER, searched INTEGER NOT NULL,
    PRIMARY KEY (document_id, position)
) WITHOUT ROWID;
CREATE TABLE texts (
    document_id TEXT NOT NULL REFERENCES documents ON DELETE CASCADE, provision_id TEXT NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY (provision_id, document_id)
) WITHOUT ROWID;
CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# of several texts of one instrument the first of this list counts, and of two of one origin the later one
_TRUST = "CASE origin WHEN 'site' THEN 0 WHEN 'file' THEN 1 ELSE 2 END, seq DESC"
_document = TypeAdapter(Document)
_instrument = TypeAdapter(Instrument)
_regulation = TypeAdapter(Regulation)


class Library:
    """Open it where it is needed: it holds a file and no state. Writers wait for one another across processes."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is the folder of everything written at run time; it need not exist."""
        self._file = folder / "library.db"
        self._originals = folder / "originals"

    # ------------------------------------------------------------ reading

    def revision(self) -> str:
        """Changes with every change of the library; "" while there is none."""
        return self.mark("revision")

    def mark(self, name: str) -> str:
        """A word kept under a name, "" where there is none."""
        with self._reading() as base:
            row = base.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone() if base else None
        return str(row[0]) if row else ""

    def documents(self) -> tuple[Document, ...]:
        """All documents, the oldest first, what comes out of packages last."""
        with self._reading() as base:
            rows = (
                base.execute("SELECT document FROM documents ORDER BY origin = 'package', seq")
                if base
                else ()
            )
            return tuple(_document.validate_json(row[0]) for row in rows)

    def document(self, id: str) -> Document | None:
        """The document of that id."""
        return next((d for d in self.documents() if d.id == id), None)

    def digests(self) -> dict[str, str]:
        """The sha256 of what each document says, by its id: the same on every machine that took it in alike."""
        with self._reading() as base:
            if base is None:
                return {}
            made = {
                id: hashlib.sha256("\n".join(told).encode())
                for id, *told in base.execute(
                    "SELECT id, instrument_id, relation, coalesce(instrument, '') FROM documents ORDER BY id"
                )
            }
            for query in (
                "SELECT document_id, id, label, section, searched, text FROM passages ORDER BY document_id, position",
                "SELECT document_id, provision_id, text FROM texts ORDER BY document_id, provision_id",
            ):
                for id, *told in base.execute(query):
                    made[id].update(repr(told).encode())
        return {id: digest.hexdigest() for id, digest in made.items()}

    def same(self, content: bytes, words: str) -> Document | None:
        """A document with these very bytes, or with these very words from another file."""
        with self._reading() as base:
            row = (
                base
                and base.execute(
                    "SELECT document FROM documents WHERE content_sha = ? OR words_sha = ? AND ? <> '' "
                    "ORDER BY content_sha = ? DESC, origin = 'package' LIMIT 1",
                    (sha := _sha(content), words, words, sha),
                ).fetchone()
            )
        return _document.validate_json(row[0]) if row else None

    def regulation(self, document_id: str) -> Regulation | None:
        """The regulation as it stands in a document; None for articles."""
        with self._reading() as base:
            row = (
                base
                and base.execute("SELECT regulation FROM documents WHERE id = ?", (document_id,)).fetchone()
            )
        return _regulation.validate_json(row[0]) if row and row[0] else None

    def history(self, instrument_id: str) -> tuple[Document, ...]:
        """The documents that hold an instrument's text; the first is the one that counts."""
        with self._reading() as base:
            rows = (
                base.execute(
                    f"SELECT document FROM documents WHERE instrument_id = ? ORDER BY {_TRUST}",  # noqa: S608
                    (instrument_id,),
                ).fetchall()
                if base
                else ()
            )
        return tuple(_document.validate_json(row[0]) for row in rows)

    def original(self, document_id: str) -> Path | None:
        """The file a document was read from; None where none was kept."""
        with self._reading() as base:
            row = (
                base
                and base.execute("SELECT original FROM documents WHERE id = ?", (document_id,)).fetchone()
            )
        return self._originals / row[0] if row and row[0] else None

    def shelf(self, instruments: Mapping[str, Instrument], wanted: Iterable[str]) -> Shelf:
        """What the documents add to a stock.

        Args:
            instruments: the catalogue, which provisions of known instruments belong to.
            wanted: ids of the provisions in stock; only their words are loaded.
        """
        with self._reading() as base:
            if base is None:
                return Shelf()
            own: dict[str, Instrument] = {}
            counts: dict[str, str] = {}  # instrument -> the document whose words count
            rows = base.execute(f"SELECT id, instrument_id, instrument FROM documents ORDER BY {_TRUST}")  # noqa: S608
            for document_id, instrument_id, instrument in rows:
                if instrument:
                    own[instrument_id] = _instrument.validate_json(instrument)
                if instrument or instrument_id in instruments:
                    counts.setdefault(instrument_id, document_id)
            holders = {**instruments, **own}
            current = {document_id: holders[id] for id, document_id in counts.items()}
            provisions = tuple(
                _provision(row[1:], current[row[0]])
                for row in base.execute(
                    "SELECT document_id, id, article, paragraph, item, label, topic, text, section, page, searched "
                    "FROM passages ORDER BY document_id, position"
                )
                if row[0] in current
            )
            texts: dict[str, str] = {}
            for id in wanted:
                document = counts.get(id.partition("#")[0])
                if document:
                    found = base.execute(
                        "SELECT text FROM texts WHERE provision_id = ? AND document_id = ?", (id, document)
                    ).fetchone()
                    if found:
                        texts[id] = found[0]
            return Shelf(tuple(own.values()), provisions, texts)

    # ------------------------------------------------------------ changing

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """One change: all of it, or, when the block is left by an exception, nothing.

        Raises:
            LibraryError: another process is changing it, or it cannot be written.
        """
        with self._translated():
            self._originals.mkdir(parents=True, exist_ok=True, mode=0o700)
            base = sqlite3.connect(self._file, timeout=_WAIT_SECONDS, isolation_level=None)
            try:
                base.execute("PRAGMA foreign_keys = ON")
                base.execute("PRAGMA journal_mode = WAL")
                base.execute("BEGIN IMMEDIATE")
                self._prepare(base)
                before = base.total_changes
                try:
                    yield Change(base, self._originals)
                except BaseException:
                    base.execute("ROLLBACK")
                    self._sweep(base)
                    raise
                if base.total_changes > before:
                    _set_mark(base, "revision", datetime.now(UTC).isoformat())
                base.execute("COMMIT")
                self._sweep(base)
            finally:
                base.close()

    def _prepare(self, base: sqlite3.Connection) -> None:
        (version,) = base.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in filter(str.strip, _TABLES.split(";")):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {_SCHEMA}")
        else:
            self._check(version)

    def _check(self, version: int) -> None:
        if version > _SCHEMA:
            raise LibraryError(
                f"文档库 {self._file} 是用更新的版本写的，请升级本程序后再用；里面的内容没有改动。"
            )

    def _sweep(self, base: sqlite3.Connection) -> None:
        """Remove originals that nothing names. What cannot be removed waits for the next change."""
        with suppress(OSError, sqlite3.Error):
            kept = {
                row[0] for row in base.execute("SELECT original FROM documents WHERE original IS NOT NULL")
            }
            for path in self._originals.iterdir():
                if path.name not in kept:
                    path.unlink()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        if not self._file.exists():
            yield None
            return
        with self._translated():
            base = sqlite3.connect(self._file, timeout=_WAIT_SECONDS)
            try:
                (version,) = base.execute("PRAGMA user_version").fetchone()
                self._check(version)
                yield base if version else None
            finally:
                base.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise LibraryError("另一个程序正在更新文档库，请等它完成后再试。") from error
            raise LibraryError(f"文档库 {self._file} 不能读写（{error}），请检查磁盘空间和权限。") from error
        except sqlite3.DatabaseError as error:
            raise LibraryError(
                f"文档库 {self._file} 已损坏，请把它移走后重新添加文件（原件在 {self._originals}）。"
            ) from error
        except OSError as error:
            raise LibraryError(
                f"数据文件夹 {self._file.parent} 不能写入（{error.strerror}），请检查磁盘空间和权限。"
            ) from error


class Change:
    """A change that is being made. What it is given is in the library once the block has ended."""

    def __init__(self, base: sqlite3.Connection, originals: Path) -> None:
        self._base = base
        self._originals = originals

    def add(self, taken: Taken, content: bytes) -> None:
        """Put a document in. ``content`` is the original; b"" where none is kept."""
        document = taken.document
        kept = self._keep(content, document.name) if content else None
        self._base.execute(
            "INSERT INTO documents SELECT ?, coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM documents",
            (
                document.id,
                _document.dump_json(document).decode(),
                document.origin,
                document.instrument_id,
                document.relation,
                _sha(content) if content else "",
                taken.words,
                kept,
                _instrument.dump_json(taken.instrument).decode() if taken.instrument else None,
                _regulation.dump_json(taken.regulation).decode() if taken.regulation else None,
            ),
        )
        self._base.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    document.id, position, p.id, p.article, p.paragraph, p.item, p.label, p.topic, p.text or "",
                    p.section, p.page, p.searched,
                )
                for position, p in enumerate(taken.provisions)
            ),
        )  # fmt: skip
        self._base.executemany(
            "INSERT INTO texts VALUES (?, ?, ?)",
            ((document.id, id, text) for id, text in taken.texts.items()),
        )

    def remove(self, document_id: str) -> bool:
        """Take a document out; false where there is none of that id."""
        return self._base.execute("DELETE FROM documents WHERE id = ?", (document_id,)).rowcount > 0

    def edit(self, document: Document, instrument: Instrument) -> None:
        """Replace what is known of a document that is an instrument or article of its own."""
        self._base.execute(
            "UPDATE documents SET document = ?, instrument = ? WHERE id = ?",
            (
                _document.dump_json(document).decode(),
                _instrument.dump_json(instrument).decode(),
                document.id,
            ),
        )
        title = f"《{instrument.title}》"
        rows = self._base.execute(
            "SELECT position, label FROM passages WHERE document_id = ?", (document.id,)
        ).fetchall()
        self._base.executemany(
            "UPDATE passages SET label = ? WHERE document_id = ? AND position = ?",
            ((title + label.partition("》")[2], document.id, position) for position, label in rows),
        )

    def instrument(self, document_id: str) -> Instrument | None:
        """The instrument or article of its own that a document is."""
        row = self._base.execute("SELECT instrument FROM documents WHERE id = ?", (document_id,)).fetchone()
        return _instrument.validate_json(row[0]) if row and row[0] else None

    def mark(self, name: str) -> str:
        """A word kept under a name, "" where there is none."""
        row = self._base.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def set_mark(self, name: str, value: str) -> None:
        """Keep a word under a name."""
        _set_mark(self._base, name, value)

    def _keep(self, content: bytes, name: str) -> str:
        """Write an original; a file of the same bytes is there once."""
        suffix = Path(name).suffix.lower()
        kept = _sha(content) + (suffix if suffix[1:].isalnum() and len(suffix) <= 9 else "")
        target = self._originals / kept
        if not target.exists():
            half = self._originals / f"{kept}.half"
            with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
            os.replace(half, target)
        return kept


def _set_mark(base: sqlite3.Connection, name: str, value: str) -> None:
    base.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, value))


def _provision(row: tuple[Any, ...], instrument: Instrument) -> Provision:
    id, article, paragraph, item, label, topic, text, section, page, searched = row
    return Provision(
        id=id, instrument=instrument, article=article, paragraph=paragraph, item=item, label=label, topic=topic,
        digest="", text=text, keywords=(), applies_to=(), facts={}, cross_refs=(), confidence="verified",
        searched=bool(searched), section=section, page=page,
    )  # fmt: skip


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
