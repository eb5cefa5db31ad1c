"""Strict templates: wording lives in ``prompts/``, one file a task.

Each file opens with a comment ``{# 用途：… 变量：a、b #}``, with ``版本：2`` between them where answers record it.
A template that uses a variable its head does not name, or is given fewer than it names, fails at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2 import meta

from assistant.errors import KnowledgeError

_HEAD = re.compile(
    r"\A\{#\s*用途：(?P<purpose>.+?)\s*(?:版本：(?P<version>[\w.]+)[。\s]*)?变量：(?P<names>.*?)\s*#\}\s*",
    re.DOTALL,
)


def escape_markdown(text: str) -> str:
    """Words of people or documents as plain text: no markdown, no links, no HTML.

    >>> escape_markdown("<b>[点我](http://x)*")
    '&lt;b&gt;\\\\[点我\\\\](http://x)\\\\*'
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\\\`*_\[\]#|~!])", r"\\\1", text)


class Prompts:
    """The templates of one folder, checked when they are first read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701 - markdown; what people wrote is escaped by rendering.plain
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._checked: dict[str, tuple[jinja2.Template, frozenset[str], str]] = {}

    def render(self, name: str, **variables: Any) -> str:
        """Fill the template ``name`` (file name without folder).

        Raises:
            KnowledgeError: the file is missing or broken, or its variables and the given ones differ.
        """
        template, declared, _ = self._template(name)
        if missing := declared - variables.keys():
            raise KnowledgeError(f"模板缺少变量：{'、'.join(sorted(missing))}。", f"prompts/{name}", 1)
        try:
            return re.sub(r"\n{3,}", "\n\n", template.render(variables)).strip()
        except jinja2.UndefinedError as error:
            raise KnowledgeError(
                f"模板里用到了没有的值（{error.message}）。", f"prompts/{name}", 1
            ) from error

    def version(self, name: str) -> str:
        """The version that a template says of itself, "" where it says none. Raises as :meth:`render` does."""
        return self._template(name)[2]

    def wording(self, name: str) -> Mapping[str, Any]:
        """A YAML file of labels and short sentences."""
        try:
            loaded = yaml.safe_load((self._folder / name).read_text("utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise KnowledgeError(
                "措辞文件读不了，请检查文件是否存在、格式是否正确。", f"prompts/{name}", 1
            ) from error
        return dict(loaded)

    def _template(self, name: str) -> tuple[jinja2.Template, frozenset[str], str]:
        if name not in self._checked:
            try:
                source = (self._folder / name).read_text("utf-8")
                parsed = self._environment.parse(source)
                template = self._environment.from_string(source)
            except OSError as error:
                raise KnowledgeError("模板文件不存在，请恢复它。", f"prompts/{name}") from error
            except jinja2.TemplateSyntaxError as error:
                raise KnowledgeError(
                    f"模板写法有误（{error.message}）。", f"prompts/{name}", error.lineno
                ) from error
            head = _HEAD.match(source)
            if head is None:
                raise KnowledgeError("模板开头要有“{# 用途：… 变量：… #}”。", f"prompts/{name}", 1)
            declared = frozenset(n for n in re.split(r"[、,\s]+", head["names"]) if n)
            if undeclared := meta.find_undeclared_variables(parsed) - declared:
                names = "、".join(sorted(undeclared))
                raise KnowledgeError(f"模板用了开头没有写明的变量：{names}。", f"prompts/{name}", 1)
            self._checked[name] = template, declared, head["version"] or ""
        return self._checked[name]
