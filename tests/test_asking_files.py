"""``zeming kb check`` on the files that say how questions are asked and what changed: each mistake with its line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.errors import KnowledgeError
from assistant.law.asking import check_asking, load_asking
from assistant.law.corpus import Corpus, load_corpus
from assistant.law.history import check_history, load_history
from assistant.settings import load_settings

KNOWLEDGE = load_settings().knowledge
COMMAND = Path(sys.executable).parent / "zeming"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(KNOWLEDGE)


def broken(folder: Path, name: str, old: str, new: str) -> tuple[Path, int]:
    """A folder with this one file changed at one place, and the line of the change."""
    text = (KNOWLEDGE / name).read_text("utf-8")
    assert text.count(old) == 1, old
    at = text.index(old)
    (folder / name).write_text(text.replace(old, new), "utf-8")
    return folder, text.count("\n", 0, at) + 1


def test_the_files_as_they_are_have_no_fault(corpus: Corpus) -> None:
    assert check_asking(KNOWLEDGE) == []
    assert check_history(KNOWLEDGE, corpus) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("旧(?!账|案", "旧((?!账|案", "正则写错了"),
        ("turned: '不|没", "turned: '(不|没", "正则写错了"),
        ("\n  often: '每", "\n  seldom: '每", "没有“seldom”这种问法"),
        ("\n  who:       # 谁", "\n  whom:", "没有“whom”这种问法"),
        ("\n  extent: '", "\n  size: '", "没有“size”这种问法"),
        ("(?P<what>.+)[吗么]'", "(.+)[吗么]'", "(?P<what>…)"),
        ("\nside_edges: ", "\nedges: ", "不认识的键“edges”"),
    ],
)
def test_a_mistake_in_the_styles_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    folder, line = broken(tmp_path, "asking.yaml", old, new)
    problems = check_asking(folder)
    assert any(said in str(p) and p.file == "asking.yaml" for p in problems), problems
    found = next(p for p in problems if said in str(p))
    assert found.line == line + old.startswith("\n")
    with pytest.raises(KnowledgeError):
        load_asking(folder)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    broken(tmp_path, "asking.yaml", "turned: '不|没", "turned: '(不|没")
    text = (tmp_path / "asking.yaml").read_text("utf-8").replace("aside: '(?:", "aside: '((?:")
    (tmp_path / "asking.yaml").write_text(text, "utf-8")
    assert len(check_asking(tmp_path)) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- old: wenze-2016", "- old: wenze-2015", "没有法规“wenze-2015”"),
        ("    new: xunshi-2024", "    new: xunshi-2025", "没有法规“xunshi-2025”"),
        ("[jieyue-2025#n01]", "[jieyue-2025#n99]", "没有条款“jieyue-2025#n99”"),
        ("      - words: 试行规则改为正式规则", "      - said: 试行规则改为正式规则", "“words”"),
    ],
)
def test_a_mistake_in_the_history_is_named_with_its_line(
    tmp_path: Path, corpus: Corpus, old: str, new: str, said: str
) -> None:
    folder, line = broken(tmp_path, "history.yaml", old, new)
    problems = check_history(folder, corpus)
    assert any(said in str(p) and p.file == "history.yaml" for p in problems), problems
    assert all(p.line == line for p in problems if said in str(p))
    with pytest.raises(KnowledgeError):
        load_history(folder, corpus)


def test_the_command_reads_both_files(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, folder)
    broken(folder, "asking.yaml", "turned: '不|没", "turned: '(不|没")
    broken(folder, "history.yaml", "- old: wenze-2016", "- old: wenze-2015")
    done = subprocess.run(
        [str(COMMAND), "kb", "check"],
        capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "ZEMING_KNOWLEDGE": str(folder)},
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "asking.yaml" in said
    assert "history.yaml" in said
    assert "Traceback" not in said


def test_what_a_row_says_of_the_versions_fits_the_instruments(corpus: Corpus) -> None:
    """A change leads from an instrument that has ended to one that took its place."""
    for change in load_history(KNOWLEDGE, corpus):
        assert change.old.effective_to, change.old.id
        assert change.old.replaced_by, change.old.id
        assert change.new.effective_to is None
        assert change.parts
        assert all(part.provisions for part in change.parts)
