"""The vector index in Chroma, through LangChain: embedded in a folder, or on a Chroma server.

Comes in: entries with an embedding model, later a text to search for. Goes out: hits.

Each build is made beside the old one: in a folder of its own when embedded, in collections on a server, one for
each group of entries. ``published.json`` names the build that counts and is replaced in one step, so that a build
that was killed leaves the old index as it was. A small change is made in a copy of the folder that is published.
Chroma is imported on first use, because that takes a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import filelock
from langchain_core.embeddings import Embeddings

from assistant.errors import IndexUnavailable, SettingsError, ZemingError
from assistant.ports import GROUPS, Entry, Hit
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_chroma import Chroma

T = TypeVar("T")
_CONNECT_SECONDS = 5.0
_LAST = 64  # texts whose vectors are kept
_BATCH = 256  # entries written at a time
_SYNC = 1000  # entries after which Chroma writes its graph of vectors anew, while a build is made


class VectorStore:
    """The published index, and the means to build the next one. Searching is safe from several threads."""

    def __init__(self, settings: Settings, embeddings: Embeddings, model: str) -> None:
        """``model`` is the fingerprint of the embeddings; an index made with another model is not used.

        Raises:
            SettingsError: a server is asked for, but its address is missing or not one.
        """
        self._folder = settings.data / "index"
        self._server = _address(settings.store_url) if settings.store == "server" else None
        # builds on a server are told apart by the data folder and the machine they belong to
        owner = hashlib.sha256(f"{uuid.getnode()}{settings.data.resolve()}".encode()).hexdigest()[:8]
        self._prefix = f"zeming-{owner}-" if self._server else "build-"
        self._embeddings = embeddings
        self._model = model
        self._guard = threading.RLock()
        self._opened: _Build | None = None
        self._last: dict[bytes, list[float]] = {}

    # ------------------------------------------------------------ reading

    def search(self, text: str, k: int, group: str = "rules", keys: Sequence[str] | None = None) -> list[Hit]:
        """The ``k`` nearest entries of a group, best first; only those of ``keys`` where they are given.

        Raises:
            IndexUnavailable: nothing is published for this model, it is damaged, or the server is silent.
                A damaged index is withdrawn, so that the next start makes it anew.
            EmbeddingError: the text could not be embedded.
        """
        vector = self._vector(text)

        def query(build: _Build) -> list[Hit]:
            collection = build.collections.get(group)
            if collection is None:
                return []
            found = collection.query(
                query_embeddings=[vector],
                n_results=k,
                include=["distances"],
                ids=list(keys) if keys is not None else None,
            )
            ids = found["ids"][0]
            about = build.about.get(group, {})
            if not about.keys() >= set(ids):  # Chroma knows as well, but takes four times as long to tell
                asked = collection.get(ids=ids, include=["metadatas"])
                rows = zip(asked["ids"], asked["metadatas"], strict=True)
                about = {id: (row["provision_id"], row["role"]) for id, row in rows}
            return [Hit(id, *about[id], 1 - far) for id, far in zip(ids, found["distances"][0], strict=True)]

        return self._read(query)

    def _vector(self, text: str) -> list[float]:
        """The vector of a text. Those of the last few texts are kept, as one situation is asked about several times.

        They are kept under digests, so that what people write is not.
        """
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._guard:
            vector = self._last.get(digest)
        if vector is None:
            vector = self._embeddings.embed_query(text)
        with self._guard:
            self._last.pop(digest, None)
            self._last[digest] = vector
            while len(self._last) > _LAST:
                del self._last[next(iter(self._last))]
        return vector

    def holds(self, digest: str) -> bool:
        """Whether the published index has this content and this model. Opens nothing: a millisecond."""
        seen = self._published()
        return seen is not None and seen.digest == digest and self.usable()

    def usable(self) -> bool:
        """Whether there is something to search, be it of older content."""
        seen = self._published()
        return seen is not None and seen.model == self._model and self._intact(seen)

    def entries(self) -> tuple[Entry, ...]:
        """What the published index holds; nothing where none of it can be used again."""
        published = self._published()
        return self._entries(published) if published and self.usable() else ()

    def _entries(self, published: _Published) -> tuple[Entry, ...]:
        """What a build holds as it says itself; nothing where that cannot be read."""
        try:
            rows = json.loads((self._folder / published.build / _ENTRIES).read_bytes())
            return tuple(Entry(*row) for row in rows)
        except (OSError, ValueError, TypeError):
            return ()

    # ------------------------------------------------------------ building

    @contextmanager
    def building(self, wait: bool) -> Iterator[bool]:
        """Hold the right to build, across processes. Yields false when another has it and ``wait`` is off.

        Raises:
            IndexUnavailable: the folder cannot be written.
        """
        lock = filelock.FileLock(self._folder / "build.lock")
        with self._translated():
            self._folder.mkdir(parents=True, exist_ok=True)
            with suppress(filelock.Timeout):
                lock.acquire(timeout=-1 if wait else 0)
        try:
            yield lock.is_locked
        finally:
            lock.release()

    def write(
        self, entries: Sequence[Entry], digest: str, advance: Callable[[int], object] = lambda _done: None
    ) -> None:
        """Publish a build of just these entries, and remove the others. Call it under :meth:`building`.

        Only texts that the published index does not have are embedded; ``advance`` is told how many more are.

        Raises:
            IndexUnavailable: the folder cannot be written, or the server does not answer.
            EmbeddingError: a text could not be embedded.
        """
        self._discard_all_but(self._published())
        before = self.entries()
        changes = _changes(before, entries)
        published = None
        if not self._server and not changes.many:
            with suppress(_Damaged):  # in a way that did not show before: the copy has it, too
                published = self._make(entries, digest, changes, before, advance, self._copy)
        if published is None:
            published = self._make(entries, digest, _changes((), entries), before, advance)
        with self._translated():
            half = self._folder / "published.half"
            half.write_text(json.dumps(asdict(published)), encoding="utf-8")
            os.replace(half, self._folder / "published.json")
        with self._guard:
            self._close()
        self._discard_all_but(published)

    # ------------------------------------------------------------ inside

    def _published(self) -> _Published | None:
        """What ``published.json`` says; ``None`` where it is missing or cannot be read."""
        try:
            return _Published(**json.loads((self._folder / "published.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _intact(self, published: _Published) -> bool:
        """The cheap part of looking for damage; the rest shows when the build is opened."""
        if self._server:
            return True
        folder = self._folder / published.build
        try:
            # Chroma takes missing files of vectors for an empty index and says nothing
            if not all((folder / part).stat().st_size for part in published.parts):
                return False
            with (folder / "chroma.sqlite3").open("rb") as file:
                return file.read(16) == b"SQLite format 3\0"
        except OSError:
            return False

    def _read(self, use: Callable[[_Build], T]) -> T:
        """Use the published build; once more, as another process may have replaced it meanwhile."""
        try:
            with self._translated():
                return use(self._current())
        except IndexUnavailable:
            with self._guard:
                self._close()
        try:
            with self._translated():
                return use(self._current())
        except _Damaged:
            (self._folder / "published.json").unlink(missing_ok=True)
            raise

    def _current(self) -> _Build:
        with self._guard:
            published = self._published()
            if published is None:
                raise IndexUnavailable("还没有检索索引，请运行 zeming index 建立。")
            if published.model != self._model:
                raise IndexUnavailable("检索索引是用另一个向量模型建立的，请运行 zeming index 重建。")
            if self._opened and self._opened.published == published:
                return self._opened
            self._close()
            if not self._intact(published):
                raise _Damaged(_DAMAGED)
            build = self._open(published)
            self._opened = build
            return build

    def _open(self, published: _Published) -> _Build:
        """Open what is published; it has to be there and whole.

        It is read from Chroma's collections themselves: loading LangChain's wrapper, through which builds are
        written, would take as long again as loading Chroma, at every start.
        """
        client = self._client(published.build)
        try:
            collections = {
                group: client.get_collection(
                    self._collection(published.build, group), embedding_function=None
                )
                for group in published.counts
            }
            if {group: found.count() for group, found in collections.items()} != published.counts:
                raise _Damaged(_DAMAGED)
        except BaseException:
            client.close()
            raise
        about: dict[str, dict[str, tuple[str, str]]] = {}
        for entry in self._entries(published):
            about.setdefault(GROUPS[entry.role], {})[entry.key] = entry.provision_id, entry.role
        return _Build(published, client, collections, about)

    def _make(
        self,
        entries: Sequence[Entry],
        digest: str,
        changes: _Changes,
        before: Sequence[Entry],
        advance: Callable[[int], object],
        begin: Callable[[Path], object] = Path.mkdir,
    ) -> _Published:
        """A build of these entries that is not published yet. ``begin`` makes the folder that is then changed."""
        name = f"{self._prefix}{uuid.uuid4().hex[:12]}"
        folder = self._folder / name
        with self._translated():
            begin(folder)
            self._change(name, changes, before, advance)
            counts = dict(Counter(GROUPS[entry.role] for entry in entries))
            published = _Published(name, self._model, digest, counts, parts=[])
            self._open(published).client.close()  # counts what it has
            rows = [astuple(entry) for entry in entries]
            (folder / _ENTRIES).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
            parts = [f"{p.parent.name}/{p.name}" for p in folder.glob("*/*") if p.stat().st_size]
            return replace(published, parts=parts)

    def _copy(self, folder: Path) -> None:
        """Begin a build with what is published. Nobody writes into a published build, so it can be copied."""
        published = self._published()
        if published is None:
            raise _Damaged(_DAMAGED)
        shutil.copytree(self._folder / published.build, folder)

    def _change(
        self, name: str, changes: _Changes, before: Sequence[Entry], advance: Callable[[int], object]
    ) -> None:
        """Take entries out of a build and put others in. ``before`` are the entries of the published one."""
        known = _Known(self._embeddings, {e.text: e for e in before}, self._vectors)
        client = self._client(name)
        try:
            for group, gone in changes.gone.items():
                collection = self._written(client, name, group, known)._collection
                for start in range(0, len(gone), _SYNC):
                    collection.delete(ids=[entry.key for entry in gone[start : start + _SYNC]])
            for group, new in changes.new.items():
                chroma = self._written(client, name, group, known)
                # texts of like length together are embedded faster
                ordered = sorted(new, key=lambda entry: (entry.text not in known.entries, len(entry.text)))
                for start in range(0, len(ordered), _BATCH):
                    batch = ordered[start : start + _BATCH]
                    chroma.add_texts(
                        [entry.text for entry in batch],
                        [{"provision_id": entry.provision_id, "role": entry.role} for entry in batch],
                        [entry.key for entry in batch],
                    )
                    advance(sum(entry.text not in known.entries for entry in batch))
        finally:
            client.close()
        if not self._server:
            self._settle(name, {*changes.gone, *changes.new})

    def _settle(self, name: str, groups: set[str]) -> None:
        """Have Chroma write what is new since it last wrote its graph; else each start would work that in again.

        It does so when it is told of a change after a lower limit was set, and only if it was opened since.
        """
        client = self._client(name)
        try:
            for group in groups:
                collection = client.get_collection(self._collection(name, group), embedding_function=None)
                collection.modify(configuration={"hnsw": {"sync_threshold": 2}})
                some = collection.get(limit=2, include=["embeddings", "documents", "metadatas"])
                if some["ids"]:
                    collection.upsert(some["ids"], some["embeddings"], some["metadatas"], some["documents"])
        finally:
            client.close()

    def _vectors(self, entries: Sequence[Entry]) -> dict[str, list[float]]:
        """The vectors of some entries of the published index, by text; less where it is damaged."""

        def read(build: _Build) -> dict[str, list[float]]:
            vectors: dict[str, list[float]] = {}
            for group, rows in _by_group(entries).items():
                found = build.collections[group].get(
                    ids=[entry.key for entry in rows], include=["documents", "embeddings"]
                )
                vectors.update(zip(found["documents"], found["embeddings"].tolist(), strict=True))
            return vectors

        try:
            return self._read(read)
        except IndexUnavailable:
            return {}

    def _written(self, client: Any, name: str, group: str, embeddings: Embeddings) -> Chroma:
        """A collection of a build, made where it is not there yet, ready to be written."""
        from langchain_chroma import Chroma

        chroma = Chroma(
            collection_name=self._collection(name, group),
            client=client,
            embedding_function=embeddings,
            collection_configuration={"hnsw": {"space": "cosine", "sync_threshold": _SYNC}},
        )
        chroma._collection.modify(configuration={"hnsw": {"sync_threshold": _SYNC}})
        return chroma

    def _collection(self, name: str, group: str) -> str:
        return f"{name}-{group}" if self._server else group

    def _client(self, name: str) -> Any:
        import chromadb
        import httpx
        from chromadb.config import Settings as ChromaSettings

        quiet = ChromaSettings(anonymized_telemetry=False)
        if not self._server:
            return chromadb.PersistentClient(self._folder / name, settings=quiet)
        # Chroma's own client has no time limit, so a dead server is found out here
        httpx.get(f"{self._server.geturl()}/api/v2/heartbeat", timeout=_CONNECT_SECONDS).raise_for_status()
        secure = self._server.scheme == "https"
        return chromadb.HttpClient(
            self._server.hostname or "",
            self._server.port or (443 if secure else 80),
            ssl=secure,
            settings=quiet,
        )

    def _close(self) -> None:
        if self._opened:
            with suppress(Exception):
                self._opened.client.close()
        self._opened = None

    def _discard_all_but(self, published: _Published | None) -> None:
        """Remove older builds and what killed ones left. What cannot be removed waits for the next time."""
        kept = published.build if published else ""
        with suppress(Exception):
            for folder in self._folder.glob(f"{self._prefix}*"):
                if folder.name != kept:
                    shutil.rmtree(folder, ignore_errors=True)
            if self._server:
                with self._client(kept) as client:
                    for collection in client.list_collections():
                        build = collection.name.rpartition("-")[0]
                        if build.startswith(self._prefix) and build != kept:
                            client.delete_collection(collection.name)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ZemingError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except OSError as error:
            raise IndexUnavailable(
                f"检索索引的文件夹 {self._folder} 不能读写（{error.strerror}），请检查磁盘空间和权限。"
            ) from error
        except BaseException as error:  # a panic of Chroma's Rust part is no Exception
            if not self._server or type(error).__name__ == "NotFoundError":
                raise _Damaged(_DAMAGED) from error
            raise IndexUnavailable(
                f"Chroma 服务器 {self._server.geturl()} 没有回应，"
                "请检查 ZEMING_STORE_URL 和服务器是否在运行。"
            ) from error


_ENTRIES = "entries.json"  # what a build holds, beside it
_DAMAGED = "检索索引已损坏，这次只能按字词检索；下次启动会自动重建，也可以现在运行 zeming index。"


class _Damaged(IndexUnavailable):
    """The published build cannot be used any more."""


@dataclass(frozen=True)
class _Published:
    """What ``published.json`` holds: the build that counts, and what it was made of."""

    build: str
    model: str
    digest: str
    counts: dict[str, int]  # group -> entries
    parts: list[str]  # files of vectors that are not empty


@dataclass(frozen=True)
class _Build:
    """The published build, opened."""

    published: _Published
    client: Any  # Chroma types its clients without "close"
    collections: dict[str, Any]  # by group; one without entries has none
    about: Mapping[
        str, Mapping[str, tuple[str, str]]
    ]  # group -> key -> provision id, role; may be incomplete


@dataclass(frozen=True)
class _Changes:
    """What leaves an index and what comes into it, by group. ``many``: a new index is made as quickly."""

    gone: Mapping[str, Sequence[Entry]]
    new: Mapping[str, Sequence[Entry]]
    many: bool


def _changes(before: Sequence[Entry], after: Sequence[Entry]) -> _Changes:
    old, new = set(before), set(after)
    put = [entry for entry in after if entry not in old]
    replaced = {(GROUPS[entry.role], entry.key) for entry in put}
    out = [e for e in before if e not in new and (GROUPS[e.role], e.key) not in replaced]
    return _Changes(_by_group(out), _by_group(put), 2 * (len(put) + len(out)) > len(before))


def _by_group(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(GROUPS[entry.role], []).append(entry)
    return groups


class _Known(Embeddings):
    """A model that takes the vectors of texts that are already indexed from there."""

    def __init__(
        self,
        model: Embeddings,
        entries: Mapping[str, Entry],
        vectors: Callable[[Sequence[Entry]], Mapping[str, list[float]]],
    ) -> None:
        """``entries`` are those of the index by their text; ``vectors`` reads them, as far as they can be read."""
        self._model, self.entries, self._vectors = model, entries, vectors

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        indexed = [self.entries[text] for text in dict.fromkeys(texts) if text in self.entries]
        found = dict(self._vectors(indexed)) if indexed else {}
        new = list(dict.fromkeys(text for text in texts if text not in found))
        found.update(zip(new, self._model.embed_documents(new), strict=True) if new else ())
        return [found[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._model.embed_query(text)


def _address(url: str) -> SplitResult:
    parts = urlsplit(url.strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f"设置 ZEMING_STORE_URL 的值“{url}”不是服务器地址，请写成 http://127.0.0.1:8000 这样。"
        )
    return parts
