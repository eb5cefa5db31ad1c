"""The vector index in Chroma, through LangChain: embedded in a folder, or on a Chroma server.

Comes in: entries with an embedding model, later a text to search for. Goes out: hits.

Each build is made beside the old one: in a folder of its own when embedded, in a collection on a server.
``published.json`` names the build that counts and is replaced in one step, so that a build that was killed
leaves the old index as it was. Chroma is imported on first use, because that takes a second.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import filelock
from langchain_core.embeddings import Embeddings

from assistant.errors import IndexUnavailable, SettingsError, ZemingError
from assistant.ports import Entry, Hit
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_chroma import Chroma

T = TypeVar("T")
_CONNECT_SECONDS = 5.0
_PAGE = 2000  # entries read back from Chroma at a time


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
        self._asked: tuple[str, list[float]] = "", []

    # ------------------------------------------------------------ reading

    def search(self, text: str, k: int) -> list[Hit]:
        """The ``k`` nearest entries, best first.

        Raises:
            IndexUnavailable: nothing is published for this model, it is damaged, or the server is silent.
                A damaged index is withdrawn, so that the next start makes it anew.
            EmbeddingError: the text could not be embedded.
        """
        asked, vector = self._asked
        if asked != text:  # one question is often searched for several times, with other filters
            vector = self._embeddings.embed_query(text)
            self._asked = text, vector
        found = self._read(
            lambda build: build.collection.query(
                query_embeddings=[vector], n_results=k, include=["metadatas", "distances"]
            )
        )
        rows = zip(found["ids"][0], found["metadatas"][0], found["distances"][0], strict=True)
        return [Hit(id, about["provision_id"], about["role"], 1 - distance) for id, about, distance in rows]

    def holds(self, digest: str) -> bool:
        """Whether the published index has this content and this model. Opens nothing: a millisecond."""
        seen = self._published()
        return seen is not None and seen.digest == digest and self.usable()

    def usable(self) -> bool:
        """Whether there is something to search, be it of older content."""
        seen = self._published()
        return seen is not None and seen.model == self._model and self._intact(seen)

    def vectors(self) -> dict[str, list[float]]:
        """The vector of each text of the published index; empty where none can be used again."""
        if not self.usable():
            return {}
        try:
            return self._read(_vectors_by_text)
        except IndexUnavailable:
            return {}

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
        self,
        batches: Iterable[Sequence[Entry]],
        known: Mapping[str, list[float]],
        digest: str,
    ) -> None:
        """Make a new build of these entries, publish it, remove the others. Call it under :meth:`building`.

        ``known`` are vectors by text that need not be computed again.

        Raises:
            IndexUnavailable: the folder cannot be written, or the server does not answer.
            EmbeddingError: a text could not be embedded.
        """
        self._discard_all_but(self._published())
        name = f"{self._prefix}{uuid.uuid4().hex[:12]}"
        count = 0
        with self._translated():
            client, chroma = self._begin(name, _Known(self._embeddings, known))
            try:
                for batch in batches:
                    chroma.add_texts(
                        [entry.text for entry in batch],
                        [{"provision_id": entry.provision_id, "role": entry.role} for entry in batch],
                        [entry.key for entry in batch],
                    )
                    count += len(batch)
            finally:
                client.close()
            parts = [
                f"{part.parent.name}/{part.name}"
                for part in (self._folder / name).glob("*/*")
                if part.stat().st_size
            ]
            published = _Published(name, self._model, digest, count, parts)
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

        It is read from Chroma's collection itself: loading LangChain's wrapper, through which builds are written,
        would take as long again as loading Chroma, at every start.
        """
        client = self._client(published.build)
        try:
            collection = client.get_collection(self._collection(published.build), embedding_function=None)
            if collection.count() != published.count:
                raise _Damaged(_DAMAGED)
        except BaseException:
            client.close()
            raise
        return _Build(published, client, collection)

    def _begin(self, name: str, embeddings: Embeddings) -> tuple[Any, Chroma]:
        """An empty build and its client, which has to be closed."""
        from langchain_chroma import Chroma

        client = self._client(name)
        try:
            chroma = Chroma(
                collection_name=self._collection(name),
                client=client,
                embedding_function=embeddings,
                collection_configuration={"hnsw": {"space": "cosine"}},
            )
        except BaseException:
            client.close()
            raise
        return client, chroma

    def _collection(self, name: str) -> str:
        return name if self._server else "entries"

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
            if not self._server:
                for folder in self._folder.glob(f"{self._prefix}*"):
                    if folder.name != kept:
                        shutil.rmtree(folder, ignore_errors=True)
                return
            with self._client(kept) as client:
                for collection in client.list_collections():
                    if collection.name.startswith(self._prefix) and collection.name != kept:
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


_DAMAGED = "检索索引已损坏，这次只能按字词检索；下次启动会自动重建，也可以现在运行 zeming index。"


class _Damaged(IndexUnavailable):
    """The published build cannot be used any more."""


@dataclass(frozen=True)
class _Published:
    """What ``published.json`` holds: the build that counts, and what it was made of."""

    build: str
    model: str
    digest: str
    count: int
    parts: list[str]  # files of vectors that are not empty


@dataclass(frozen=True)
class _Build:
    """The published build, opened."""

    published: _Published
    client: Any  # Chroma types its clients without "close"
    collection: Any


class _Known(Embeddings):
    """A model that looks up the vectors it was given before it computes any."""

    def __init__(self, model: Embeddings, known: Mapping[str, list[float]]) -> None:
        self._model, self._known = model, known

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        computed = dict(zip(new, self._model.embed_documents(new), strict=True)) if new else {}
        return [computed[text] if text in computed else self._known[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._model.embed_query(text)


def _vectors_by_text(build: _Build) -> dict[str, list[float]]:
    vectors: dict[str, list[float]] = {}
    for start in itertools.count(0, _PAGE):
        page = build.collection.get(limit=_PAGE, offset=start, include=["documents", "embeddings"])
        vectors.update(zip(page["documents"], page["embeddings"].tolist(), strict=True))
        if len(page["ids"]) < _PAGE:
            return vectors
    raise AssertionError("unreachable")


def _address(url: str) -> SplitResult:
    parts = urlsplit(url.strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            f"设置 ZEMING_STORE_URL 的值“{url}”不是服务器地址，请写成 http://127.0.0.1:8000 这样。"
        )
    return parts
