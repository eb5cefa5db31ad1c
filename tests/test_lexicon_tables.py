"""Tables of invented sentences: what the real lexicon reads out of each.

Comes in: ``tests/lexicon/*.yaml``: a fact, and under each value the sentences that state it; ``absent`` lists
the sentences that leave it open. A file may hold several facts under ``tables``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.law.lexicon import Lexicon, load_lexicon
from assistant.law.vocabulary import Vocabulary, load_vocabulary
from assistant.steps.facts import read_facts

_HERE = Path(__file__).resolve().parent
_KNOWLEDGE = _HERE.parent / "knowledge"
_FLAGS = {True: "yes", False: "no"}  # YAML reads the keys yes and no as booleans


def _tables() -> Iterator[dict[Any, Any]]:
    for path in sorted((_HERE / "lexicon").glob("*.yaml")):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        yield from table.get("tables", [table])


def _rows() -> Iterator[Any]:
    for table in _tables():
        fact = table["fact"]
        for key, sentences in table.items():
            if key == "fact":
                continue
            value = _FLAGS.get(key, key) if isinstance(key, bool) else str(key)
            for sentence in sentences:
                yield pytest.param(fact, value, sentence, id=f"{fact}={value}: {sentence[:24]}")


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary(_KNOWLEDGE)


@pytest.fixture(scope="module")
def lexicon(vocabulary: Vocabulary) -> Lexicon:
    return load_lexicon(_KNOWLEDGE, vocabulary)


@pytest.mark.parametrize(("fact", "value", "sentence"), list(_rows()))
def test_sentence(fact: str, value: str, sentence: str, lexicon: Lexicon, vocabulary: Vocabulary) -> None:
    found = {f.value: f.evidence for f in read_facts(sentence, lexicon, vocabulary) if f.name == fact}
    if value == "absent":
        assert not found
    elif vocabulary.facts[fact].kind == "many":
        assert value in found
    else:
        assert list(found) == [value], found
    assert all(evidence in sentence for evidence in found.values())


def test_absent_of_a_flag_is_not_its_denial() -> None:
    """``absent`` and ``no`` are two things: a flag table that has denials lists them apart."""
    assert {"yes", "no", "absent"} >= {
        _FLAGS.get(key, "absent") for table in _tables() for key in table if isinstance(key, bool)
    }


def test_every_value_of_the_tables_exists(vocabulary: Vocabulary) -> None:
    for row in _rows():
        fact, value, _ = row.values
        assert value == "absent" or value in vocabulary.values_of(fact), (fact, value)
