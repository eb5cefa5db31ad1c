"""Whole stories through the whole assistant: the verdict, its signals and that every source holds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.model import Question
from assistant.wiring import Parts

DAY = date(2026, 3, 1)
STORIES = yaml.safe_load((Path(__file__).parent / "stories.yaml").read_text("utf-8"))
TOLD = [(story, text) for story in STORIES for text in story["texts"]]


@pytest.mark.parametrize(("story", "text"), TOLD, ids=[f"{s['kind']}-{i}" for i, (s, _) in enumerate(TOLD)])
def test_the_story_comes_out_right(story: dict[str, Any], text: str, parts: Parts) -> None:
    advice = parts.advisor.ask(Question(text, DAY))
    made = advice.determination
    assert advice.kind == "scenario"
    assert made is not None
    shown = [(f.name, f.value, f.evidence) for f in advice.facts]
    assert made.scope in story["scope"], (made.scope, shown)
    assert set(story.get("signals", ())) <= {s.name for s in made.misuse_signals}, shown
    if "clause" in story:
        assert made.clauses[0].id == story["clause"], shown
    if "exemption" in story:
        assert (story["exemption"], "met") in {(e.id, e.status) for e in made.exemptions}, shown
    assert all(check.passed for check in advice.checks), advice.checks
