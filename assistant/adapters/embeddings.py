"""The embedding models behind LangChain's interface: built in, a local model, or a server.

Comes in: settings. Goes out: an ``Embeddings`` object, and a fingerprint that changes with the vectors.
Nothing is ever downloaded here. Vendor errors leave as :class:`assistant.errors.EmbeddingError`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.embeddings import Embeddings

from assistant.adapters import e5
from assistant.errors import EmbeddingError, SettingsError
from assistant.settings import Settings

Vectors = TypeVar("Vectors")


def make_embeddings(settings: Settings, ahead: bool = True) -> Embeddings:
    """The embedding model that the settings name.

    Args:
        ahead: the built-in model is loaded in the background from now on, not when the first text comes.

    Raises:
        EmbeddingError: it cannot be loaded. The built-in model loads in the background, so that its remaining
            errors (a damaged file, a full disk) come with the first text.
        SettingsError: a setting that this kind of model needs is empty.
    """
    makers: dict[str, Callable[[Settings], Embeddings]] = {
        "builtin": lambda settings: E5Embeddings(settings.data / "models", ahead),
        "sentence-transformers": _sentence_transformers,
        "openai": _openai,
    }
    return makers[settings.embedding](settings)


def fingerprint(settings: Settings) -> str:
    """A name for the vectors that these settings give; an index made under another name is made again."""
    if settings.embedding == "builtin":
        return f"e5-small-{e5.weights_id(e5.weights_file())}-{e5.VECTORS}"
    parts = (
        settings.embedding_model,
        settings.embedding_url if settings.embedding == "openai" else "",
        settings.embedding_query_prefix,
        settings.embedding_passage_prefix,
    )
    return f"{settings.embedding}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


class E5Embeddings(Embeddings):
    """The built-in model, with the prefixes it was trained with. Loads in the background, by default from the start."""

    def __init__(self, models: Path, ahead: bool = True) -> None:
        """``models`` is the folder for the converted model file.

        Raises:
            EmbeddingError: the package with the weights is not installed.
        """
        self._files = e5.weights_file(), models
        self._guard = threading.Lock()
        self._loading: Future[e5.E5] | None = None
        if ahead:
            self._load()

    def _load(self) -> Future[e5.E5]:
        with self._guard:
            if self._loading is None:
                loader = ThreadPoolExecutor(1, thread_name_prefix="e5")
                self._loading = loader.submit(e5.E5, *self._files)
                loader.shutdown(wait=False)
            return self._loading

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._load().result().encode([f"passage: {t}" for t in texts]).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self._load().result().encode([f"query: {text}"])[0].tolist()
        return vector


class PrefixedEmbeddings(Embeddings):
    """Another model with the prefixes of the settings before each text, and its errors in one sentence."""

    def __init__(self, model: Embeddings, query: str, passage: str, trouble: str) -> None:
        """``trouble`` is the sentence of an error; what the model said is put into its ``{}``."""
        self._model, self._query, self._passage, self._trouble = model, query, passage, trouble

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        passages = [self._passage + text for text in texts]
        return self._translated(lambda: self._model.embed_documents(passages))

    def embed_query(self, text: str) -> list[float]:
        return self._translated(lambda: self._model.embed_query(self._query + text))

    def _translated(self, embed: Callable[[], Vectors]) -> Vectors:
        try:
            return embed()
        except Exception as error:
            raise EmbeddingError(self._trouble.format(_short(error))) from error


def _sentence_transformers(settings: Settings) -> Embeddings:
    name = _needed(settings.embedding_model, "EMBEDDING_MODEL", "本地模型文件夹的路径")
    try:
        from langchain_huggingface import (  # type: ignore[import-not-found, unused-ignore]
            HuggingFaceEmbeddings,
        )
    except ImportError as error:
        raise EmbeddingError(
            "设置选用了 sentence-transformers 向量模型，但没有安装这个扩展，"
            "请运行 pip install 'zeming[sentence-transformers]'，或把 ZEMING_EMBEDDING 改回 builtin。"
        ) from error
    try:
        # local files only: a model that is not there is an error, not a download
        model: Embeddings = HuggingFaceEmbeddings(
            model_name=name,
            model_kwargs={"local_files_only": True},
            encode_kwargs={"normalize_embeddings": True},
        )
    except Exception as error:
        raise EmbeddingError(
            f"向量模型“{name}”无法载入（{_short(error)}），"
            "请检查 ZEMING_EMBEDDING_MODEL 是不是本机已有的模型。"
        ) from error
    return _prefixed(settings, model, f"向量模型“{name}”计算失败（{{}}），请检查模型文件和内存。")


def _openai(settings: Settings) -> Embeddings:
    url = _needed(settings.embedding_url, "EMBEDDING_URL", "接口地址，如 http://127.0.0.1:8000/v1")
    name = _needed(settings.embedding_model, "EMBEDDING_MODEL", "接口上的模型名")
    try:
        from langchain_openai import OpenAIEmbeddings
    except ImportError as error:
        raise EmbeddingError(
            "设置选用了 OpenAI 兼容的向量接口，但没有安装这个扩展，"
            "请运行 pip install 'zeming[openai]'，或把 ZEMING_EMBEDDING 改回 builtin。"
        ) from error
    arguments: dict[str, Any] = {
        "model": name,
        "base_url": url,
        "api_key": settings.embedding_key.get_secret_value() or "none",
        "timeout": settings.embedding_timeout,
        "max_retries": 1,
        "chunk_size": 64,
        # texts go out as they are: counting tokens would fetch a tokenizer from the network
        "check_embedding_ctx_length": False,
    }
    return _prefixed(
        settings,
        OpenAIEmbeddings(**arguments),
        f"向量接口 {url} 没有给出结果（{{}}），请检查 ZEMING_EMBEDDING_URL、密钥和网络。",
    )


def _prefixed(settings: Settings, model: Embeddings, trouble: str) -> Embeddings:
    return PrefixedEmbeddings(
        model, settings.embedding_query_prefix, settings.embedding_passage_prefix, trouble
    )


def _needed(value: str, name: str, meaning: str) -> str:
    if not value:
        raise SettingsError(f"设置 ZEMING_{name} 是空的，选用这种向量模型时请填写{meaning}。")
    return value


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
