"""What strangers call things, in our names: ``evals/signal_names.yaml`` and ``evals/route_names.yaml``.

Comes in: the names of gold labels. Goes out: our names, and which of theirs stand for nothing of ours. Raises
``KnowledgeError`` for a file that is missing or wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assistant.errors import KnowledgeError

_PACKAGE = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """Where the harness's own data files are: inside the installed package, or in ``evals/`` of a checkout."""
    inside = _PACKAGE / "_data" / "evals"
    return inside if inside.is_dir() else _PACKAGE.parent / "evals"


def read_data(name: str) -> dict[str, Any]:
    """A YAML file of the harness.

    Raises:
        KnowledgeError: it is missing, or no mapping.
    """
    try:
        loaded = yaml.safe_load((data_folder() / name).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise KnowledgeError("文件读不了，请检查文件是否存在、格式是否正确。", f"evals/{name}") from error
    if not isinstance(loaded, dict):
        raise KnowledgeError("文件应是“名称: 内容”的格式，请改正。", f"evals/{name}")
    return loaded


@dataclass(frozen=True)
class Names:
    """The synonyms of both files. ``routes``: a name -> groups of routes; one of each group must be named."""

    signals: Mapping[str, str | None]
    routes: Mapping[str, Sequence[Sequence[str]]]

    def signals_of(self, names: Sequence[str]) -> tuple[set[str], list[str]]:
        """Our signals, and the names that stand for none of ours."""
        known = {self.signals[name] for name in names if self.signals.get(name)}
        return {name for name in known if name}, [name for name in names if not self.signals.get(name)]

    def routes_of(self, written: str) -> tuple[list[list[str]], list[str]]:
        """Groups of route ids for a string such as 党纪处分申诉、复审复核, and the parts that are not known."""
        groups, unknown = [], []
        for part in re.split(r"[/、，；;,]", written):
            name = part.strip()
            if name in self.routes:
                groups += [list(group) for group in self.routes[name]]
            elif name:
                unknown.append(name)
        return groups, unknown


def load_names(signals: Sequence[str], routes: Sequence[str]) -> Names:
    """Both files, checked against our own names.

    Raises:
        KnowledgeError: a file is missing, or names a signal or route that we do not have.
    """
    said = read_data("signal_names.yaml")
    for name, ours in said.items():
        if ours is not None and ours not in signals:
            raise KnowledgeError(f"“{name}”对应的“{ours}”不是已有的信号，请改正。", "evals/signal_names.yaml")
    ways = read_data("route_names.yaml")
    for name, groups in ways.items():
        for id in (id for group in groups for id in group):
            if id not in routes:
                raise KnowledgeError(
                    f"“{name}”对应的“{id}”不是已有的救济路径，请改正。", "evals/route_names.yaml"
                )
    return Names({**{name: name for name in signals}, **said}, ways)
