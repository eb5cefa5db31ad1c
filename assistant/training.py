"""Learns from the exemplars how to read facts; done once for each state of the knowledge base, in seconds.

Comes in: exemplars, what the lexicon finds in them, what the rules make of their facts. Goes out: a
:class:`~assistant.steps.learned.Model`, kept in a file of plain numbers. The same input gives the same model.

Odds come from stories that the scores were not learned from, neither they nor their hand nor what was retold from
them: each file of exemplars is one hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from assistant.law.exemplars import Exemplar, Lessons, Request, exemplar_files, request_file
from assistant.law.vocabulary import Vocabulary
from assistant.model import Fact, Scope
from assistant.steps.learned import (
    CALM,
    CONSTANT,
    LEAST,
    PATTERNS,
    UNTOLD,
    Head,
    Model,
    Requests,
    marks_of,
    masked,
    runs_of,
)

VERSION = 8  # raise it when the same exemplars would give another model
PENALTY = 0.1  # of the ridge regression
STRENGTH = 10.0  # inverse penalty of the odds
REQUEST_STRENGTH = 30.0  # the same, of what tells requests that are declined
NEAR_MISS = 5.0  # what a question counts that only looks like one that is declined
FOLDS = 4
LEAST_STORIES = 2  # in which a character run must occur
_VERDICT = "scope"

Finds = Callable[[str], Sequence[Fact]]
Judges = Callable[[Mapping[str, str]], Scope]
Columns = dict[str, tuple[tuple[str, ...], list[str]]]  # head -> its values, and the one of each exemplar


def state_of(folder: Path) -> str:
    """A short name for everything the model is made from: files of the knowledge folder, and this code."""
    digest = hashlib.sha256(f"{VERSION}".encode())
    files = [
        *exemplar_files(folder),
        *(path for path in [request_file(folder)] if path.exists()),
        *(folder / name for name in ("learning.yaml", "facts.yaml")),
        *sorted((folder / "lexicon").glob("*.yaml")),
        *sorted((folder / "questions").glob("*.jsonl")),
        *sorted((folder / "rules").glob("*.yaml")),
    ]
    for path in files:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def ensure_model(kept: Path, state: str, learned: Callable[[], Model]) -> Model:
    """The model of this state, learned when ``kept`` has none. One process learns, others wait for it.

    Args:
        kept: the folder of models; those of other states are removed.
        learned: makes the model.
    """
    path = kept / f"{state}.npz"
    if (model := _load(path)) is not None:
        return model
    kept.mkdir(parents=True, exist_ok=True)
    with FileLock(kept / "lock"):
        if (model := _load(path)) is None:
            model = learned()
            _save(model, path)
            for other in kept.glob("*.npz"):
                if other != path:
                    other.unlink(missing_ok=True)
    return model


def learn(
    exemplars: Sequence[Exemplar],
    vocabulary: Vocabulary,
    lessons: Lessons,
    finds: Finds,
    judges: Judges,
    asked: Sequence[str] = (),
    advance: Callable[[int], object] = lambda _: None,
    requests: Sequence[Request] = (),
    masks: Sequence[str] = (),
) -> Model:
    """Learn from exemplars.

    Args:
        finds: what the lexicon finds in a text.
        judges: what the rules make of a set of facts.
        asked: questions about rules, to tell them from stories.
        advance: told whenever more exemplars have been read.
        requests: questions that are declined and such as only look like them.
        masks: regexes of names, which say nothing of what is asked.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.kernel_ridge import KernelRidge

    found = []
    for exemplar in exemplars:
        found.append(marks_of(finds(exemplar.text)))
        advance(1)
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: runs_of(text).elements(), sublinear_tf=True, min_df=LEAST_STORIES
    )
    runs = vectorizer.fit_transform([e.text for e in exemplars]).astype(np.float32)
    marks, mean, marked = _marks(found)
    kernel = (runs @ runs.T).toarray() + PATTERNS * marked @ marked.T + CONSTANT

    columns = _columns(exemplars, vocabulary, lessons)
    target = np.concatenate(
        [
            np.where(np.array(of_each)[:, None] == np.array(values)[None], 1.0, -1.0)
            for values, of_each in columns.values()
        ],
        axis=1,
    )
    unseen = np.zeros_like(target)
    families = _families(exemplars)
    for test in _folds([e.hand for e in exemplars]):
        others = ~np.isin(families, families[test])
        ridge = KernelRidge(alpha=PENALTY, kernel="precomputed").fit(
            kernel[np.ix_(others, others)], target[others]
        )
        unseen[test] = kernel[np.ix_(test, others)] @ ridge.dual_coef_
    story_weights, story_bias = _story(runs, vectorizer.transform(asked) if asked else None)
    dual = KernelRidge(alpha=PENALTY, kernel="precomputed").fit(kernel, target).dual_coef_
    heads = _heads(columns, unseen, found, _inside(exemplars, lessons))
    sheets = _sheets(exemplars, lessons)
    postings = runs.tocsc()
    postings.sort_indices()
    return Model(
        terms={str(term): int(number) for term, number in vectorizer.vocabulary_.items()},
        rarity=vectorizer.idf_.astype(np.float32),
        starts=postings.indptr.astype(np.int32),
        where=postings.indices.astype(np.int32),
        weight=postings.data.astype(np.float32),
        marks=marks,
        marks_mean=mean,
        marks_of=marked,
        dual=dual.astype(np.float32),
        heads={name: head for name, head in heads.items() if name != _VERDICT},
        verdicts=heads[_VERDICT],
        together=lessons.together,
        sheets=sheets,
        story_weights=story_weights,
        story_bias=story_bias,
        only_with=lessons.only_with,
        surety=_surety(exemplars, lessons, heads, sheets, unseen.astype(np.float32), found, judges),
        least_sure=lessons.least_sure,
        least_sure_of_many=lessons.least_sure_of_many,
        most_values=lessons.most_values,
        least_sure_of_kind=lessons.least_sure_of_kind,
        least_sure_of_idle=lessons.least_sure_of_idle,
        requests=learn_requests(requests, [*(e.text for e in exemplars), *asked], lessons, masks),
    )


def learn_requests(
    requests: Sequence[Request], answered: Sequence[str], lessons: Lessons, masks: Sequence[str]
) -> Requests | None:
    """Learn to tell requests that are declined from everything that is answered; None where there are none.

    Requests and the rest weigh the same as a whole, however few requests there are.
    """
    kinds = tuple(sorted({r.asks_for for r in requests} - {""}))
    if not kinds or not answered:
        return None
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(
        analyzer=lambda text: runs_of(masked(text, masks)).elements(),
        sublinear_tf=True,
        min_df=LEAST_STORIES,
    )
    runs: Any = csr_matrix(vectorizer.fit_transform([*(r.text for r in requests), *answered]))
    declined = np.array([r.asks_for != "" for r in requests] + [False] * len(answered))
    weight = np.where(np.arange(len(declined)) < len(requests), NEAR_MISS, 1.0)
    weight[declined] = weight[~declined].sum() / declined.sum()
    whether = LogisticRegression(C=REQUEST_STRENGTH, solver="liblinear", random_state=0)
    whether.fit(runs, declined, sample_weight=weight)
    heads = [whether]
    of_each = np.array([r.asks_for for r in requests if r.asks_for])
    for kind in kinds:
        head = LogisticRegression(
            C=REQUEST_STRENGTH, solver="liblinear", class_weight="balanced", random_state=0
        )
        heads.append(head.fit(runs[np.flatnonzero(declined)], of_each == kind))
    return Requests(
        terms={str(term): int(number) for term, number in vectorizer.vocabulary_.items()},
        rarity=vectorizer.idf_.astype(np.float32),
        weights=np.stack([head.coef_[0] for head in heads], axis=1).astype(np.float32),
        bias=np.array([head.intercept_[0] for head in heads], np.float32),
        kinds=kinds,
        masks=tuple(masks),
        least_sure=lessons.least_sure_of_request,
    )


# ------------------------------------------------------------------ parts of learning


def _marks(
    found: Sequence[set[str]],
) -> tuple[dict[str, int], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Numbers of the marks, how often each is found, and what is unusual in each exemplar (of length one)."""
    names = {mark: number for number, mark in enumerate(sorted(set().union(*found)))}
    table = np.zeros((len(found), len(names)), np.float32)
    for row, of_one in enumerate(found):
        table[row, [names[mark] for mark in of_one]] = 1
    mean = table.mean(axis=0)
    table -= mean
    return names, mean, table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), LEAST)


def _columns(exemplars: Sequence[Exemplar], vocabulary: Vocabulary, lessons: Lessons) -> Columns:
    """What is asked of a story: the verdict, and each fact of which there are exemplars enough."""
    columns: Columns = {_VERDICT: _column([e.scope for e in exemplars])}
    for name, kind in vocabulary.facts.items():
        if kind.about == "question" or name in lessons.patterns_only:
            continue
        if kind.kind == "many":
            for value in kind.values:
                has = [value in e.facts.get(name, ()) for e in exemplars]
                if sum(has) >= lessons.least_rows:
                    columns[f"{name}={value}"] = (("no", "yes"), ["yes" if one else "no" for one in has])
            continue
        of_each = [e.facts.get(name, (UNTOLD,))[0] for e in exemplars]
        if name not in lessons.together:
            enough = {v for v in set(of_each) if of_each.count(v) >= lessons.least_rows}
            of_each = [value if value in enough else UNTOLD for value in of_each]
        if len(set(of_each)) > 1 or name in lessons.together:
            columns[name] = _column(of_each)
    return columns


def _column(of_each: list[Any]) -> tuple[tuple[str, ...], list[str]]:
    return tuple(sorted(set(of_each))), of_each


def _story(stories: Any, questions: Any) -> tuple[npt.NDArray[np.float32], float]:
    """Weights that tell stories from questions about rules; none where there are no questions."""
    if questions is None:
        return np.zeros(stories.shape[1], np.float32), 0.0
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    is_story = [True] * stories.shape[0] + [False] * questions.shape[0]
    odds = LogisticRegression(C=STRENGTH, max_iter=300).fit(vstack([stories, questions]), is_story)
    return odds.coef_[0].astype(np.float32), float(odds.intercept_[0])


def _folds(hands: Sequence[str]) -> list[npt.NDArray[np.bool_]]:
    """Which exemplars are left out in turn: those of some hands; of a single hand every fourth."""
    names = sorted(set(hands))
    part = [names.index(hand) if len(names) > 1 else at for at, hand in enumerate(hands)]
    return [np.array([one % FOLDS == fold for one in part]) for fold in range(min(FOLDS, len(set(part))))]


def _families(exemplars: Sequence[Exemplar]) -> npt.NDArray[np.int_]:
    """The number of the family of each exemplar: one story and whatever was retold from it."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for exemplar in exemplars:
        parent[root(exemplar.id)] = root(exemplar.pair or exemplar.id)
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(root(e.id), len(numbers)) for e in exemplars])


def _inside(exemplars: Sequence[Exemplar], lessons: Lessons) -> dict[str, npt.NDArray[np.bool_]]:
    """For each fact that is only read with another one, the exemplars where that holds."""
    return {
        name: np.array([value in exemplar.facts.get(other, ()) for exemplar in exemplars])
        for name, (other, value) in lessons.only_with.items()
    }


def _heads(
    columns: Columns,
    unseen: npt.NDArray[np.float64],
    found: Sequence[set[str]],
    inside: Mapping[str, npt.NDArray[np.bool_]],
) -> dict[str, Head]:
    from sklearn.linear_model import LogisticRegression

    heads, first = {}, 0
    for name, (values, of_each) in columns.items():
        bare = Head(name, values, first, np.zeros((len(values), 0), np.float32), np.zeros(0, np.float32))
        own = np.hstack(
            [unseen[:, first : first + len(values)], np.array([bare.found(marks) for marks in found])]
        )
        if len(values) == 1:  # a fact that all exemplars leave alike
            weights, bias = np.zeros((1, 2)), np.zeros(1)
        else:
            labels = np.array(of_each)
            rows = inside.get(name.partition("=")[0], np.ones(len(labels), bool))
            if len(set(labels[rows])) < len(values):  # too few to learn from by themselves
                rows = np.ones(len(labels), bool)
            odds = LogisticRegression(C=STRENGTH, solver="newton-cholesky").fit(own[rows], labels[rows])
            weights, bias = odds.coef_, odds.intercept_
            if len(values) == 2:  # one row tells the second value from the first
                weights, bias = np.vstack([0 * weights, weights]), np.concatenate([[0.0], bias])
        heads[name] = Head(name, values, first, weights.astype(np.float32), bias.astype(np.float32))
        first += len(values)
    return heads


def _sheets(exemplars: Sequence[Exemplar], lessons: Lessons) -> tuple[tuple[str, ...], ...]:
    """The combinations of facts that occur."""
    return tuple(
        dict.fromkeys(tuple(e.facts.get(name, (UNTOLD,))[0] for name in lessons.together) for e in exemplars)
    )


def _surety(
    exemplars: Sequence[Exemplar],
    lessons: Lessons,
    heads: Mapping[str, Head],
    sheets: Sequence[tuple[str, ...]],
    unseen: npt.NDArray[np.float32],
    found: Sequence[set[str]],
    judges: Judges,
) -> float:
    """The power that makes a verdict's likelihood fit how often it is right on hands unseen."""
    scopes = [
        judges({n: v for n, v in zip(lessons.together, sheet, strict=True) if v != UNTOLD})
        for sheet in sheets
    ]
    likely = np.zeros((len(exemplars), len(sheets)))
    for at, name in enumerate(lessons.together):
        head = heads[name]
        marks = [head.found(of_one) for of_one in found]
        logs = np.log(np.maximum(head.probabilities(unseen, marks), LEAST))
        likely += CALM * logs[:, [head.values.index(sheet[at]) for sheet in sheets]]
    verdicts = heads[_VERDICT]
    marks = [verdicts.found(of_one) for of_one in found]
    chances = np.log(np.maximum(verdicts.probabilities(unseen, marks), LEAST))
    known = {value: number for number, value in enumerate(verdicts.values)}
    floor = np.full((len(exemplars), 1), np.log(LEAST))
    chances = np.hstack([chances, floor])
    likely += chances[:, [known.get(scope, len(known)) for scope in scopes]]
    shares = np.exp(likely - likely.max(axis=1, keepdims=True))
    names = sorted(set(scopes))
    total = np.stack([shares[:, [s == name for s in scopes]].sum(axis=1) for name in names], axis=1)
    total /= total.sum(axis=1, keepdims=True)
    right = np.array([names.index(e.scope) if e.scope in names else -1 for e in exemplars])
    rows = np.flatnonzero(right >= 0)

    def loss(power: float) -> float:
        raised = np.maximum(total[rows], 1e-9) ** power
        return float(
            -np.log((raised / raised.sum(axis=1, keepdims=True))[np.arange(len(rows)), right[rows]]).mean()
        )

    return float(min(np.arange(0.2, 1.55, 0.05), key=loss).round(2))


# ------------------------------------------------------------------ keeping the model

_ARRAYS = ("rarity", "starts", "where", "weight", "marks_mean", "marks_of", "dual", "story_weights")
_REQUEST_ARRAYS = ("rarity", "weights", "bias")
_NUMBERS = (
    "story_bias",
    "surety",
    "least_sure_of_kind",
    "least_sure_of_idle",
    "least_sure",
    "least_sure_of_many",
    "most_values",
)


def _save(model: Model, path: Path) -> None:
    heads = [*model.heads.values(), model.verdicts]
    told = {
        "terms": list(model.terms),
        "numbers": list(model.terms.values()),
        "marks": list(model.marks),
        "together": model.together,
        "sheets": model.sheets,
        "only_with": model.only_with,
        "heads": [{"name": h.name, "values": h.values, "first": h.first} for h in heads],
        **{name: getattr(model, name) for name in _NUMBERS},
    }
    arrays = {name: getattr(model, name) for name in _ARRAYS}
    if model.requests:
        told["requests"] = {
            "terms": list(model.requests.terms),
            "numbers": list(model.requests.terms.values()),
            "kinds": model.requests.kinds,
            "masks": model.requests.masks,
            "least_sure": model.requests.least_sure,
        }
        arrays |= {f"requests_{name}": getattr(model.requests, name) for name in _REQUEST_ARRAYS}
    for number, head in enumerate(heads):
        arrays |= {f"weights{number}": head.weights, f"bias{number}": head.bias}
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with partial.open("wb") as file:
        np.savez(file, told=np.frombuffer(json.dumps(told, ensure_ascii=False).encode(), np.uint8), **arrays)
    os.replace(partial, path)


def _load(path: Path) -> Model | None:
    """The model in a file; None where there is none that can be read, so that it is learned again."""
    try:
        with np.load(path, allow_pickle=False) as file:
            told = json.loads(file["told"].tobytes())
            heads = [
                Head(row["name"], tuple(row["values"]), row["first"], file[f"weights{n}"], file[f"bias{n}"])
                for n, row in enumerate(told["heads"])
            ]
            return Model(
                terms=dict(zip(told["terms"], told["numbers"], strict=True)),
                marks={mark: number for number, mark in enumerate(told["marks"])},
                heads={head.name: head for head in heads[:-1]},
                verdicts=heads[-1],
                together=tuple(told["together"]),
                sheets=tuple(tuple(sheet) for sheet in told["sheets"]),
                only_with={name: (other, value) for name, (other, value) in told["only_with"].items()},
                **{name: file[name] for name in _ARRAYS},
                **{name: told[name] for name in _NUMBERS},
                requests=_requests(told["requests"], file) if "requests" in told else None,
            )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _requests(told: Mapping[str, Any], file: Mapping[str, Any]) -> Requests:
    return Requests(
        terms=dict(zip(told["terms"], told["numbers"], strict=True)),
        kinds=tuple(told["kinds"]),
        masks=tuple(told["masks"]),
        least_sure=told["least_sure"],
        **{name: file[f"requests_{name}"] for name in _REQUEST_ARRAYS},
    )
