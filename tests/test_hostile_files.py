"""Every hostile file gives one clear sentence, or is read without harm; the walk and this process go on."""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from pathlib import Path

import pytest

from assistant.adapters.readers import Limits, Source, read, sources
from assistant.errors import DocumentError
from assistant.model import RawDocument
from tests.hostile import HOSTILE, MIB, hostile_files

LIMITS = Limits(seconds=10)
SLOWEST = 120  # seconds; far above what any takes, below what would be noticed as a hang


def outcomes(path: Path, limits: Limits = LIMITS) -> list[RawDocument | DocumentError]:
    result: list[RawDocument | DocumentError] = []
    for item in sources([path], limits):
        if isinstance(item, Source):
            try:
                result.append(read(item, limits))
            except DocumentError as error:
                result.append(error)
        else:
            result.append(item)
    return result


def is_one_sentence(message: str, name: str) -> bool:
    """It names the file, is Chinese, ends once, and shows nothing of the program."""
    bare = message.removeprefix(name)
    return (
        message.startswith(name)
        and bool(re.search("[一-鿿]{4}", bare))
        and message.count("。") == 1
        and message.endswith("。")
        and not re.search(r"Traceback|Error\b|Exception|0x|/work|/tmp|site-packages", message)
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all of them, built once."""
    folder = tmp_path_factory.mktemp("hostile")
    made = hostile_files(folder)
    assert len(made) == len(HOSTILE) >= 20
    assert sum(os.lstat(path).st_blocks * 512 for path, _ in made if path.is_file()) < 60 * MIB
    return folder


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file(hostile: Path, name: str) -> None:
    _build, sentence = HOSTILE[name]
    path = hostile / name
    there = sorted(os.listdir(hostile))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    results = outcomes(path)
    assert time.monotonic() - began < SLOWEST
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024  # KiB
    errors = [str(result) for result in results if isinstance(result, DocumentError)]
    if sentence:
        assert len(results) == len(errors) == 1, results
        assert sentence in errors[0], errors
        assert is_one_sentence(errors[0], name), errors
    else:
        assert not errors
        (document,) = results
        assert isinstance(document, RawDocument)
        said = "".join(block.text for block in document.blocks)
        assert said
        assert "alert" not in said
        assert "脚本" not in said
    assert not Path("/var/absolute.txt").exists()
    assert not (hostile.parent.parent / "climbed.txt").exists()
    assert sorted(os.listdir(hostile)) == there


def test_a_folder_of_hostile_files_does_not_stop_the_good_one(tmp_path: Path) -> None:
    folder = tmp_path / "资料"
    folder.mkdir()
    quick = ["坏.pdf", "向上.zip", "断.docx", "空.txt", "二进制.txt", "管道.txt", "程序.pdf"]
    for name in quick:
        HOSTILE[name][0](folder / name)
    (folder / "自指.txt").symlink_to("自指.txt")
    (folder / "外.txt").symlink_to("/etc/hostname")
    (folder / "上").symlink_to(folder)
    (folder / "好.txt").write_text("第一条　试验。")
    results = outcomes(folder)
    assert [result.name for result in results if isinstance(result, RawDocument)] == ["资料/好.txt"]
    errors = {
        str(result).split("：")[0]: str(result) for result in results if isinstance(result, DocumentError)
    }
    assert set(errors) == {f"资料/{name}" for name in [*quick, "自指.txt", "外.txt"]}
    assert "文件夹以外" in errors["资料/外.txt"]
    assert "/etc" not in errors["资料/外.txt"]
    assert all(is_one_sentence(message, name) for name, message in errors.items()), errors


def test_a_folder_too_deep_gives_one_sentence(tmp_path: Path) -> None:
    deepest = tmp_path.joinpath(*["层"] * 20)
    deepest.mkdir(parents=True)
    (deepest / "甲.txt").write_text("甲")
    (error,) = [str(item) for item in sources([tmp_path / "层"], LIMITS) if "套了" in str(item)]
    assert "文件夹套了超过12层" in error


@pytest.mark.skipif(sys.platform == "win32", reason="Windows 的文件权限不是这样")
def test_without_permission(tmp_path: Path) -> None:
    """Root may read everything, so it becomes somebody else for a moment."""
    path = tmp_path / "密.txt"
    path.write_text("第一条")
    path.chmod(0)
    folder = tmp_path / "密件"
    folder.mkdir(mode=0)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    was = os.geteuid()
    try:
        if was == 0:
            os.seteuid(65534)
        found = [str(item) for item in sources([path, folder], LIMITS)]
    finally:
        if was == 0:
            os.seteuid(was)
    assert found == [
        "密.txt：没有读取的权限；请检查文件权限后再试。",
        "密件：没有读取的权限；请检查文件权限后再试。",
    ]


def test_a_path_that_is_not_there() -> None:
    (error,) = sources([Path("/nowhere/无.txt")], LIMITS)
    assert str(error) == "无.txt：找不到这个文件或文件夹；请检查路径。"
