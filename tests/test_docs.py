"""What the documents show is what the program says."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from assistant.model import Question
from assistant.settings import Settings
from assistant.wiring import Parts

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_answer_in_the_readme_is_the_real_one(parts: Parts) -> None:
    asked = re.search(r"\*\*问：\*\* (.+)", README)
    shown = re.search(r"<!-- answer -->\n(.+?)\n<!-- /answer -->", README, re.DOTALL)
    assert asked
    assert shown
    quoted = [line.removeprefix(">").strip() for line in shown[1].splitlines()]
    real = parts.advisor.ask(Question(asked[1], date.today())).answer.splitlines()
    assert [line for line in quoted if line] == [line for line in map(str.strip, real) if line][
        : len([q for q in quoted if q])
    ]


def test_every_setting_in_the_readme_exists() -> None:
    for name in re.findall(r"`ZEMING_(\w+)`", README):
        assert name.lower() in Settings.model_fields, name


def test_the_screenshots_and_files_that_the_readme_names_exist() -> None:
    for path in re.findall(r"\]\(((?:docs|evals|knowledge)/[^)]+)\)", README):
        assert (ROOT / path).is_file(), path
