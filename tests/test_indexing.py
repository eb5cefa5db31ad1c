"""What is indexed, what is embedded again, and what a killed or a second process leaves."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.embeddings import Embeddings

from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.adapters.vector_store import VectorStore
from assistant.errors import EmbeddingError
from assistant.indexing import IndexReport, digest_of, ensure_index, entries
from assistant.law.corpus import Corpus
from assistant.ports import Entry
from assistant.settings import Settings
from tests.test_vector_store import ENTRIES, Characters, builds, many, store_in


class Counting(Embeddings):
    """A model that keeps the texts it was given."""

    def __init__(self) -> None:
        self.model, self.texts = Characters(), list[str]()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.texts += texts
        return self.model.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self.model.embed_query(text)


def test_every_provision_and_every_way_to_ask_is_indexed_once(corpus: Corpus) -> None:
    made = entries(corpus)
    keys = [entry.key for entry in made]
    assert len(set(keys)) == len(keys)
    assert [e.key for e in made if e.role == "provision"] == [p.id for p in corpus.provisions()]
    assert sum(e.role == "asked" for e in made) == sum(map(len, corpus.asked.values()))
    provision = next(corpus.provisions())
    text = made[0].text
    assert all(part in text for part in (provision.label, provision.topic, provision.digest))


CHANGED = replace(ENTRIES[0], text="试验员每小时记录温度")
NEW = Entry("shiyan#3", "shiyan#3", "provision", "离开时关好门窗")


@pytest.mark.parametrize(
    ("after", "embedded", "report"),
    [
        (ENTRIES, [], None),
        ((*ENTRIES, NEW), [NEW.text], (1, 0, 4)),
        (ENTRIES[1:], [], (0, 1, 3)),
        ((CHANGED, *ENTRIES[1:]), [CHANGED.text], (1, 1, 3)),
        ((replace(ENTRIES[0], provision_id="shiyan#9", key="shiyan#9"), *ENTRIES[1:]), [], (0, 0, 4)),
        ((replace(NEW, text=ENTRIES[0].text), *ENTRIES), [], (0, 0, 5)),
    ],
    ids=["nothing", "one more", "one less", "one changed", "renumbered", "same words twice"],
)
def test_only_what_changed_is_embedded(
    after: tuple[Entry, ...], embedded: list[str], report: tuple[int, int, int] | None, tmp_path: Path
) -> None:
    ensure_index(ENTRIES, store_in(tmp_path))
    model = Counting()
    store = VectorStore(Settings(data=tmp_path), model, "characters")
    made = ensure_index(after, store)
    assert model.texts == embedded
    assert (made and (made.added, made.removed, made.kept)) == report
    for entry in after:
        assert entry.key in {hit.entry_key for hit in store.search(entry.text, 2)}
    assert len(store.search("温度", 99)) == len(after)


def test_a_changed_model_embeds_everything_again(tmp_path: Path) -> None:
    ensure_index(ENTRIES, store_in(tmp_path))
    report = ensure_index(ENTRIES, store_in(tmp_path, model="another"))
    assert report == IndexReport(added=4, seconds=report.seconds if report else 0)


def test_a_failing_model_leaves_the_old_index(tmp_path: Path) -> None:
    class Failing(Characters):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise EmbeddingError("向量接口没有回应。")

    ensure_index(ENTRIES, store_in(tmp_path))
    with pytest.raises(EmbeddingError):
        ensure_index((*ENTRIES, NEW), VectorStore(Settings(data=tmp_path), Failing(), "characters"))
    assert store_in(tmp_path).search("温度要不要天天记", 1)[0].entry_key == "shiyan#1?1"


def test_progress_counts_the_texts_that_are_embedded(tmp_path: Path) -> None:
    steps: list[object] = []

    @contextmanager
    def progress(total: int, label: str) -> Iterator[Callable[[int], object]]:
        steps.append((total, label))
        yield steps.append

    ensure_index(many(600), store_in(tmp_path), progress)
    assert steps == [(600, "正在建立检索索引"), 256, 256, 88]


def test_nothing_to_do_is_found_out_at_once(tmp_path: Path) -> None:
    all_entries = many(6000)
    store = store_in(tmp_path)
    published = tmp_path / "index" / "published.json"
    ensure_index(all_entries[:10], store)
    note = json.loads(published.read_text())
    published.write_text(json.dumps(note | {"digest": digest_of(all_entries)}))
    assert ensure_index(all_entries, store) is None  # 5,990 of them would be read, were it looked at


# ---------------------------------------------------------------- several processes

SCRIPT = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from assistant.indexing import ensure_index
from tests.test_vector_store import many, store_in

@contextmanager
def progress(total, label):
    def advance(done):
        {when_a_batch_is_written}
    yield advance

ensure_index(many({count}), store_in(Path(sys.argv[1])), progress)
"""


def other_process(folder: Path, count: int, when_a_batch_is_written: str) -> subprocess.Popen[str]:
    script = textwrap.dedent(SCRIPT).format(count=count, when_a_batch_is_written=when_a_batch_is_written)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )


def test_a_killed_build_leaves_the_old_index_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    ensure_index(many(3), store_in(tmp_path))
    killed = other_process(tmp_path, 600, "os.kill(os.getpid(), signal.SIGKILL)")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert len(builds(tmp_path)) == 2
    store = store_in(tmp_path)
    assert len(store.search("第1号试验规定", 99)) == 3
    report = ensure_index(many(600), store)
    assert report is not None
    assert report.added == 597
    assert len(store.search("第1号试验规定", 99)) == 99
    assert len(builds(tmp_path)) == 1


def test_a_build_killed_in_a_copy_leaves_the_old_index(tmp_path: Path) -> None:
    ensure_index(many(600), store_in(tmp_path))
    killed = other_process(tmp_path, 620, "os.kill(os.getpid(), signal.SIGKILL)")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert len(builds(tmp_path)) > 1  # the copy, and a build from the start where the copy was of no use
    store = store_in(tmp_path)
    assert len(store.search("第1号试验规定", 999)) == 600
    report = ensure_index(many(620), store)
    assert report is not None
    assert (report.added, report.kept) == (20, 600)
    assert len(store.search("第1号试验规定", 999)) == 620
    assert len(builds(tmp_path)) == 1


WAIT = "print('writing', flush=True); sys.stdin.readline()"


def test_while_another_process_builds_the_old_index_serves(tmp_path: Path) -> None:
    ensure_index(many(3), store_in(tmp_path))
    other = other_process(tmp_path, 5, WAIT)
    assert other.stdout is not None
    assert other.stdout.readline() == "writing\n"
    store = store_in(tmp_path)
    assert ensure_index(many(5), store) == IndexReport(waiting=True)
    assert len(store.search("第1号试验规定", 99)) == 3
    other.communicate("\n", timeout=60)
    assert len(store.search("第1号试验规定", 99)) == 5


def test_without_an_old_index_the_second_waits_for_the_first(tmp_path: Path) -> None:
    other = other_process(tmp_path, 5, "print('writing', flush=True); import time; time.sleep(1)")
    assert other.stdout is not None
    assert other.stdout.readline() == "writing\n"
    store = store_in(tmp_path)
    assert ensure_index(many(5), store) is None  # done by the other
    assert len(store.search("第1号试验规定", 99)) == 5
    other.communicate(timeout=60)


# ---------------------------------------------------------------- the real model


def test_with_the_built_in_model(settings: Settings, tmp_path: Path) -> None:
    made = (
        Entry("shiyan#1", "shiyan#1", "provision", "打碎仪器应当在三日内向实验室主任书面报告"),
        Entry("shiyan#2", "shiyan#2", "provision", "实验室每晚十点关门，钥匙交门卫"),
    )
    store = VectorStore(Settings(data=tmp_path), make_embeddings(settings), fingerprint(settings))
    ensure_index(made, store)
    hits = store.search("我把烧杯摔坏了，要跟谁说", 2)
    assert [hit.provision_id for hit in hits] == ["shiyan#1", "shiyan#2"]
