"""The library of documents: a change is whole or nothing, whatever happens to the process that makes it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assistant.adapters.library import Library
from assistant.errors import LibraryError
from assistant.law.citations import find_references, resolve
from assistant.law.corpus import Corpus, with_documents
from assistant.model import ArticleText, Document, Instrument, Paragraph, Provision, Regulation, Shelf, Taken

ROOT = Path(__file__).resolve().parent.parent


def instrument(id: str, rank: int = 5, begun: date | None = date(2024, 1, 1)) -> Instrument:
    return Instrument(
        id, "某县容错办法", ("容错办法",), "某县", "规范性文件", rank, begun, None, None, None, 2, document=id
    )


def passage(holder: Instrument, number: int, text: str = "") -> Provision:
    return Provision(
        id=f"{holder.id}#{number}", instrument=holder, article=str(number), paragraph=None, item=None,
        label=f"《{holder.title}》第{number}条", topic="试验", digest="", text=text or f"第{number}条的话",
        keywords=(), applies_to=(), facts={}, cross_refs=(), confidence="verified", section="第一章", page=2,
    )  # fmt: skip


def document(id: str, **extra: object) -> Document:
    made = Document(
        id=id, name=f"{id}.txt", origin="file", kind="regulation", title="某县容错办法", instrument_id=id,
        relation="new", added=datetime(2026, 11, 22, tzinfo=UTC), size=9, articles=2, passages=2,
    )  # fmt: skip
    return replace(made, **extra)  # type: ignore[arg-type]


def put(library: Library, id: str, content: bytes = b"words", **extra: object) -> Document:
    holder = instrument(id)
    made = document(id, **extra)
    with library.changing() as change:
        change.add(
            Taken(made, f"words of {id}", (passage(holder, 1), passage(holder, 2)), {}, holder), content
        )
    return made


def test_an_empty_library_answers_and_leaves_no_trace(tmp_path: Path) -> None:
    library = Library(tmp_path / "new")
    assert library.documents() == ()
    assert library.revision() == ""
    assert library.same(b"x", "x") is None
    assert library.shelf({}, []).provisions == ()
    assert not (tmp_path / "new").exists()


def test_what_is_put_in_comes_out_as_it_was(tmp_path: Path) -> None:
    library = Library(tmp_path)
    regulation = Regulation("某县容错办法", (ArticleText("1", (Paragraph("第一条的话"),)),), issuer="某县")
    holder, made = instrument("doc-a"), document("doc-a", notices=("第3页没有文字",))
    with library.changing() as change:
        change.add(Taken(made, "w", (passage(holder, 1),), {"x#1": "原话"}, holder, regulation), b"words")
    assert library.documents() == (made,)
    assert library.regulation("doc-a") == regulation
    assert library.same(b"words", "") == made
    assert library.same(b"other bytes", "w") == made
    assert library.same(b"other bytes", "") is None
    shelf = library.shelf({}, [])
    assert shelf.instruments == (holder,)
    assert shelf.provisions == (passage(holder, 1),)
    original = library.original("doc-a")
    assert original
    assert original.read_bytes() == b"words"
    assert original.stat().st_mode & 0o077 == 0, "others on the machine must not read it"


def test_removing_takes_everything_with_it(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put(library, "doc-a", b"one")
    put(library, "doc-b", b"two")
    with library.changing() as change:
        assert change.remove("doc-a")
        assert not change.remove("doc-x")
    assert [d.id for d in library.documents()] == ["doc-b"]
    assert [p.id for p in library.shelf({}, []).provisions] == ["doc-b#1", "doc-b#2"]
    assert [path.read_bytes() for path in (tmp_path / "originals").iterdir()] == [b"two"]
    with sqlite3.connect(tmp_path / "library.db") as base:
        assert base.execute("SELECT count(*) FROM passages").fetchone() == (2,)


def test_an_error_undoes_the_whole_change(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put(library, "doc-a", b"one")
    before = library.revision()
    holder = instrument("doc-b")
    with pytest.raises(KeyboardInterrupt), library.changing() as change:  # noqa: PT012
        change.add(Taken(document("doc-b"), "w", (passage(holder, 1),), {}, holder), b"two")
        change.remove("doc-a")
        raise KeyboardInterrupt
    assert [d.id for d in library.documents()] == ["doc-a"]
    assert library.revision() == before
    assert [path.read_bytes() for path in (tmp_path / "originals").iterdir()] == [b"one"]


def test_every_change_has_a_new_revision(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put(library, "doc-a", b"one")
    first = library.revision()
    put(library, "doc-b", b"two")
    assert first
    second = library.revision()
    assert second != first
    with library.changing():
        pass
    assert library.revision() == second, "nothing was changed"


KILLED = """
    import os, sys, signal
    sys.path.insert(0, {root!r})
    from pathlib import Path
    from tests.test_library import *
    library = Library(Path({folder!r}))
    with library.changing() as change:
        for number in range(200):
            id = f"doc-{{number}}"
            holder = instrument(id)
            change.add(Taken(document(id), id, (passage(holder, 1),), {{}}, holder), f"content {{number}}".encode())
            if number == 150:
                print("half", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_in_the_middle_twice_leaves_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path)
    kept = put(library, "doc-kept", b"kept")
    for _ in range(2):
        program = textwrap.dedent(KILLED.format(root=str(ROOT), folder=str(tmp_path)))
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert done.stdout == "half\n"
        assert library.documents() == (kept,)
        assert len(library.shelf({}, []).provisions) == 2
    again = put(library, "doc-again", b"again")
    assert library.documents() == (kept, again)
    # the originals that the killed processes wrote are gone with the first change after them
    assert {path.read_bytes() for path in (tmp_path / "originals").iterdir()} == {b"kept", b"again"}


def test_the_text_that_counts_is_the_one_most_to_be_trusted(tmp_path: Path) -> None:
    """The official site before a file before the package; of two of one origin the later."""
    library = Library(tmp_path)
    known = {"law-1": instrument("law-1")}

    def bring(id: str, origin: str, text: str) -> None:
        made = document(id, instrument_id="law-1", relation="same", origin=origin)
        with library.changing() as change:
            change.add(Taken(made, id, (), {"law-1#1": text}), id.encode())

    def words() -> str:
        return library.shelf(known, ["law-1#1"]).texts["law-1#1"]

    bring("doc-p", "package", "包里的")
    assert words() == "包里的"
    bring("doc-f", "file", "文件的")
    bring("doc-g", "file", "新文件的")
    assert words() == "新文件的"
    bring("doc-s", "site", "官网的")
    bring("doc-h", "file", "更新的文件")
    assert words() == "官网的"
    assert [d.id for d in library.history("law-1")] == ["doc-s", "doc-h", "doc-g", "doc-f", "doc-p"]
    with library.changing() as change:
        change.remove("doc-s")
    assert words() == "更新的文件"


def test_a_damaged_or_newer_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(LibraryError, match="已损坏"):
        Library(tmp_path).documents()
    newer = tmp_path / "newer"
    newer.mkdir()
    with sqlite3.connect(newer / "library.db") as base:
        base.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match="更新的版本"):
        Library(newer).documents()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "originals").write_bytes(b"a file where a folder should be")
    with pytest.raises(LibraryError, match="不能写入"):
        put(Library(tmp_path), "doc-a")


def test_two_writers_wait_for_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.adapters.library._WAIT_SECONDS", 0.2)
    library = Library(tmp_path)
    put(library, "doc-a")
    with library.changing() as change:
        change.set_mark("x", "y")
        with pytest.raises(LibraryError, match="另一个程序"):
            put(Library(tmp_path), "doc-b", b"two")
        assert [d.id for d in library.documents()] == ["doc-a"], "readers are not kept waiting"
    assert library.mark("x") == "y"


# ------------------------------------------------------------------ what documents add to the stock


@pytest.mark.parametrize("begun", [date(2018, 1, 1), date(2020, 1, 1), date(2027, 1, 1), None])
def test_a_version_out_of_a_document_does_not_blur_what_a_title_means(
    corpus: Corpus, begun: date | None
) -> None:
    brought = replace(instrument("doc-v", rank=2, begun=begun), title="中国共产党问责条例")
    grown = with_documents(corpus, Shelf((brought,), (passage(brought, 7),)))
    found = resolve("问责条例第七条", grown, date(2026, 11, 22))
    assert (found.status, found.provision_id) == ("exists", "wenze-2019#7")


def test_a_document_with_a_name_that_says_nothing_is_not_found_in_every_text(corpus: Corpus) -> None:
    brought = replace(instrument("doc-g"), title="意见", short_titles=("意见",))
    grown = with_documents(corpus, Shelf((brought,), (passage(brought, 1),)))
    assert not find_references("我有意见，按办法和规定处理。", grown, date(2026, 11, 22))


def test_words_are_attached_to_the_provisions_in_stock(tmp_path: Path, corpus: Corpus) -> None:
    library = Library(tmp_path)
    made = document("doc-w", instrument_id="wenze-2019", relation="same")
    with library.changing() as change:
        texts = {"wenze-2019#20": "原文二十", "wenze-2019#7.1.3": "原文七三", "wenze-2019#17": "原文十七"}
        change.add(Taken(made, "w", (), texts), b"w")
    grown = with_documents(corpus, library.shelf(corpus.instruments, corpus.ids()))
    assert grown.provision("wenze-2019#20").text == "原文二十"
    assert grown.provision("wenze-2019#20").digest == corpus.provision("wenze-2019#20").digest
    assert grown.provision("wenze-2019#7.1.3").text == "原文七三"
    assert grown.provision("wenze-2019#17").text == "原文十七", "also where the article is put together"
    assert grown.provision("wenze-2019#16").text is None
    assert len(list(grown.provisions())) == len(list(corpus.provisions()))


def test_articles_the_stock_lacks_stand_in_their_place(tmp_path: Path, corpus: Corpus) -> None:
    library = Library(tmp_path)
    holder = corpus.instruments["quanli-2020"]
    missing = next(n for n in range(1, 40) if corpus.get(f"quanli-2020#{n}") is None and n > 4)
    with library.changing() as change:
        made = document("doc-q", instrument_id=holder.id, relation="same")
        change.add(Taken(made, "q", (passage(holder, missing),), {}), b"q")
    grown = with_documents(corpus, library.shelf(corpus.instruments, corpus.ids()))
    before, after = grown.neighbours(f"quanli-2020#{missing}")
    assert before
    assert after
    assert int(before.article or 0) < missing < int(after.article or 0)


def test_a_later_version_of_a_known_instrument_is_said_whenever_it_is_cited(
    tmp_path: Path, corpus: Corpus
) -> None:
    library = Library(tmp_path)
    newer = replace(instrument("doc-n", rank=2, begun=date(2027, 1, 1)), title="中国共产党问责条例")
    with library.changing() as change:
        change.add(Taken(document("doc-n"), "n", (passage(newer, 1),), {}, newer), b"n")
    grown = with_documents(corpus, library.shelf(corpus.instruments, corpus.ids()))
    assert "2027-01-01起施行" in grown.instruments["wenze-2019"].caution
    assert "2027-01-01起施行" in grown.provision("wenze-2019#7").instrument.caution
    assert grown.instruments["wenze-2019"].in_force(date(2026, 11, 22))
    assert grown.instruments["wenze-2016"].caution == corpus.instruments["wenze-2016"].caution
