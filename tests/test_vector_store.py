"""The vector index in a real Chroma: in a folder, damaged in several ways, and on a real server."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from assistant.adapters.vector_store import VectorStore
from assistant.errors import IndexUnavailable, SettingsError
from assistant.indexing import ensure_index
from assistant.ports import Entry
from assistant.settings import Settings


class Characters(Embeddings):
    """A quick model for tests of storage: a text is the directions of its characters added up."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        directions = [np.random.default_rng(zlib.crc32(c.encode())).normal(size=16) for c in text]
        vector = np.sum(directions, axis=0)
        return [float(x) for x in vector / np.linalg.norm(vector)]


ENTRIES = (
    Entry("shiyan#1", "shiyan#1", "provision", "试验员每天记录温度"),
    Entry("shiyan#1?1", "shiyan#1", "asked", "温度要不要天天记"),
    Entry("shiyan#2", "shiyan#2", "provision", "打碎烧杯应当在三日内报告"),
    Entry("shiyan#2?1", "shiyan#2", "asked", "烧杯碎了多久报告"),
)


def many(count: int) -> tuple[Entry, ...]:
    return tuple(Entry(f"shiyan#{n}", f"shiyan#{n}", "provision", f"第{n}号试验规定") for n in range(count))


def store_in(folder: Path, model: str = "characters", **settings: str) -> VectorStore:
    return VectorStore(Settings(data=folder, **settings), Characters(), model)


def builds(folder: Path) -> list[Path]:
    return sorted((folder / "index").glob("build-*"))


def test_the_nearest_entry_comes_first_with_its_similarity(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    ensure_index(ENTRIES, store)
    hits = store.search("烧杯碎了多久报告", 2)
    assert [(hit.entry_key, hit.provision_id, hit.role) for hit in hits] == [
        ("shiyan#2?1", "shiyan#2", "asked"),
        ("shiyan#2", "shiyan#2", "provision"),
    ]
    assert hits[0].score == pytest.approx(1, abs=1e-4)
    assert hits[0].score > hits[1].score


def test_more_than_there_is_can_be_asked_for(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    ensure_index(ENTRIES, store)
    assert len(store.search("温度", 50)) == len(ENTRIES)


def test_a_later_process_finds_what_an_earlier_one_published(tmp_path: Path) -> None:
    ensure_index(ENTRIES, store_in(tmp_path))
    assert store_in(tmp_path).search("温度要不要天天记", 1)[0].entry_key == "shiyan#1?1"


def test_an_open_store_sees_what_another_one_publishes(tmp_path: Path) -> None:
    mine, other = store_in(tmp_path), store_in(tmp_path)
    ensure_index(ENTRIES[:2], mine)
    assert len(mine.search("温度", 9)) == 2
    ensure_index(ENTRIES, other)
    assert len(mine.search("温度", 9)) == 4


def test_without_an_index_the_sentence_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="zeming index"):
        store_in(tmp_path).search("温度", 1)


def test_an_index_of_another_model_is_not_searched(tmp_path: Path) -> None:
    ensure_index(ENTRIES, store_in(tmp_path))
    other = store_in(tmp_path, model="another")
    assert not other.usable()
    assert other.entries() == ()
    with pytest.raises(IndexUnavailable, match="另一个向量模型"):
        other.search("温度", 1)


def test_one_build_is_left_after_each_publication(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    for entries in (ENTRIES[:1], ENTRIES[:3], ENTRIES):
        ensure_index(entries, store)
        assert len(builds(tmp_path)) == 1


CASE = Entry("case#1", "case#1", "case", "烧杯碎了当天就报告")
ESSAY = Entry("essay#1", "essay#1", "commentary", "谈谈烧杯碎了的责任")


def test_groups_do_not_push_each_other_out(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    ensure_index((*ENTRIES, CASE, ESSAY), store)
    assert {hit.role for hit in store.search("烧杯碎了", 9)} == {"provision", "asked"}
    assert [hit.entry_key for hit in store.search("烧杯碎了", 9, "cases")] == ["case#1"]
    assert [hit.entry_key for hit in store.search("烧杯碎了", 9, "commentary")] == ["essay#1"]


def test_a_group_comes_and_goes(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    assert ensure_index(ENTRIES, store)
    assert store.search("烧杯碎了", 9, "cases") == []
    assert ensure_index((*ENTRIES, CASE), store)
    assert len(store.search("烧杯碎了", 9, "cases")) == 1
    assert ensure_index((*ENTRIES, replace(CASE, role="commentary")), store)
    assert store.search("烧杯碎了", 9, "cases") == []
    assert len(store.search("烧杯碎了", 9, "commentary")) == 1
    assert len(store_in(tmp_path).search("烧杯碎了", 9)) == len(ENTRIES)


def test_only_the_given_entries_are_searched(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    entries = many(1200)
    ensure_index(entries, store)
    keys = ["shiyan#3", "shiyan#700", "shiyan#1199"]
    assert {hit.entry_key for hit in store.search("第7号试验规定", 300, keys=keys)} == set(keys)


OTHERS = (
    Entry("baoan#1", "baoan#1", "provision", "离开时关好门窗"),
    Entry("baoan#2", "baoan#2", "provision", "钥匙交给门卫保管"),
)


def test_a_small_change_keeps_the_graph_and_a_large_one_does_not(tmp_path: Path) -> None:
    def graph() -> set[str]:
        return {part.name for part in builds(tmp_path)[0].iterdir() if part.is_dir()}

    store = store_in(tmp_path)
    ensure_index(many(1200), store)
    first = graph()
    ensure_index((*many(1190), *OTHERS), store)
    assert graph() == first
    assert len(store.search("离开时关好门窗", 2000)) == 1192
    assert store.search("离开时关好门窗", 1)[0].entry_key == "baoan#1"
    ensure_index(ENTRIES, store)
    assert graph() != first


# ---------------------------------------------------------------- damage


def _cut_database(folder: Path) -> None:
    file = builds(folder)[0] / "chroma.sqlite3"
    file.write_bytes(file.read_bytes()[:5000])


def _spoil_database(folder: Path) -> None:
    file = builds(folder)[0] / "chroma.sqlite3"
    data = bytearray(file.read_bytes())
    data[2000:60000] = bytes(range(256)) * 227
    file.write_bytes(data[: max(len(data), 60000)])


def _empty_database(folder: Path) -> None:
    (builds(folder)[0] / "chroma.sqlite3").write_bytes(b"")


def _remove_vectors(folder: Path) -> None:
    for part in builds(folder)[0].iterdir():
        if part.is_dir():
            shutil.rmtree(part)


def _spoil_vectors(folder: Path) -> None:
    for file in builds(folder)[0].rglob("*.bin"):
        file.write_bytes(b"\xff" * (file.stat().st_size // 2))


def _remove_build(folder: Path) -> None:
    shutil.rmtree(builds(folder)[0])


def _spoil_note(folder: Path) -> None:
    (folder / "index" / "published.json").write_text('{"build": 1')


def _point_elsewhere(folder: Path) -> None:
    note = folder / "index" / "published.json"
    note.write_text(note.read_text().replace('"rules": 1200', '"rules": 7'))


@pytest.mark.parametrize(
    "damage",
    [
        _cut_database,
        _spoil_database,
        _empty_database,
        _remove_vectors,
        _spoil_vectors,
        _remove_build,
        _spoil_note,
        _point_elsewhere,
    ],
)
def test_after_any_damage_the_next_start_makes_it_anew(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    entries = many(1200)  # enough for Chroma to write vectors into files of their own
    ensure_index(entries, store_in(tmp_path))
    damage(tmp_path)
    store = store_in(tmp_path)
    with suppress(IndexUnavailable):  # nothing else may come out of it
        store.search("第7号试验规定", 3)
    ensure_index(entries, store)
    assert store.search("第7号试验规定", 3)[0].score > 0.99
    assert len(store.search("第7号试验规定", 300)) == 300


@pytest.mark.parametrize(
    "damage", [_cut_database, _spoil_database, _remove_vectors, _spoil_vectors, _remove_build]
)
def test_a_damaged_index_is_not_taken_over_into_the_next(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    ensure_index(many(1200), store_in(tmp_path))
    damage(tmp_path)
    store = store_in(tmp_path)
    ensure_index(many(1210), store)
    assert store.search("第1205号试验规定", 3)[0].score > 0.99
    assert store.search("第7号试验规定", 3)[0].score > 0.99
    held = store._current().collections["rules"].get(include=[])["ids"]
    assert sorted(held) == sorted(entry.key for entry in many(1210))
    assert (
        len(store.search("第7号试验规定", 1210)) > 1200
    )  # the graph is approximate: one may be out of its reach
    assert len(builds(tmp_path)) == 1


def test_a_build_that_forgot_what_it_holds_is_made_anew(tmp_path: Path) -> None:
    ensure_index(ENTRIES, store_in(tmp_path))
    (builds(tmp_path)[0] / "entries.json").write_text("[[")
    store = store_in(tmp_path)
    report = ensure_index(ENTRIES[:3], store)
    assert report is not None
    assert (report.added, report.kept) == (3, 0)
    assert len(store.search("温度", 9)) == 3


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file where the folder should be")
    with pytest.raises(IndexUnavailable, match="不能读写"):
        ensure_index(ENTRIES, store_in(tmp_path))


# ---------------------------------------------------------------- a server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = Path(sys.executable).with_name("chroma")
    if not command.exists():
        pytest.skip("命令 chroma 没有安装")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [command, "run", "--path", folder / "data", "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            httpx.get(f"{url}/api/v2/heartbeat", timeout=1).raise_for_status()
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    else:
        process.kill()
        pytest.skip(f"chroma run 起不来：{(folder / 'log').read_text(errors='replace')[-300:]}")
    yield url
    process.terminate()
    process.wait(10)


def test_a_server_serves_like_a_folder(server: str, tmp_path: Path) -> None:
    store = store_in(tmp_path, store="server", store_url=server)
    first = ensure_index(ENTRIES[:2], store)
    second = ensure_index(ENTRIES, store)
    assert first is not None
    assert second is not None
    assert (first.added, second.added, second.kept) == (2, 2, 2)
    assert ensure_index(ENTRIES, store_in(tmp_path, store="server", store_url=server)) is None
    assert store.search("烧杯碎了多久报告", 1)[0].entry_key == "shiyan#2?1"


def test_two_data_folders_share_a_server(server: str, tmp_path: Path) -> None:
    one, two = (store_in(tmp_path / name, store="server", store_url=server) for name in "ab")
    ensure_index(ENTRIES[:2], one)
    ensure_index(ENTRIES[2:], two)
    ensure_index(ENTRIES[2:3], two)
    assert len(one.search("温度", 9)) == 2
    assert len(two.search("温度", 9)) == 1


def test_a_collection_removed_on_the_server_is_made_again(server: str, tmp_path: Path) -> None:
    import chromadb

    store = store_in(tmp_path, store="server", store_url=server)
    ensure_index(ENTRIES, store)
    host, port = server.removeprefix("http://").split(":")
    client = chromadb.HttpClient(host, int(port))
    for collection in client.list_collections():
        client.delete_collection(collection.name)
    with pytest.raises(IndexUnavailable, match="zeming index"):
        store.search("温度", 1)
    ensure_index(ENTRIES, store)
    assert store.search("温度要不要天天记", 1)[0].entry_key == "shiyan#1?1"


def test_a_silent_server_is_named_and_nothing_is_withdrawn(server: str, tmp_path: Path) -> None:
    store = store_in(tmp_path, store="server", store_url=server)
    ensure_index(ENTRIES, store)
    silent = store_in(tmp_path, store="server", store_url="http://127.0.0.1:9")
    with pytest.raises(IndexUnavailable, match=r"http://127\.0\.0\.1:9 没有回应"):
        silent.search("温度", 1)
    assert store_in(tmp_path, store="server", store_url=server).search("温度", 1)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x"])
def test_an_address_that_is_none_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ZEMING_STORE_URL"):
        store_in(tmp_path, store="server", store_url=url)
