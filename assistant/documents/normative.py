"""Documents that set rules without articles: 通知、意见、方案 of an office, with its name and day below.

Comes in: a document, its title. Goes out: what it says of itself, or None where it sets no rules.
"""

from __future__ import annotations

import re

from assistant.documents.particulars import Particulars, particulars_of
from assistant.law.text import normalise
from assistant.model import RawDocument

_SHORTEST = 5  # characters; a line "通知" is no title
_EDGE = 12  # lines at the beginning and at the end that say who issued it, and when
_TITLE = re.compile("(?:通知|意见|方案|决定|公告|通告|办法|规定|细则|规则|措施|制度|要点)(?:（[^（）]*）)?$")
_NUMBER = re.compile(r"[〔\[（【]\s*(?:19|20)\d{2}\s*[〕\]）】]\s*(?:第\s*)?\d{1,4}\s*号")  # 发文字号
_TALK = re.compile("解读|浅谈|浅析|思考|体会|评论|之我见|怎么看")


def normative(raw: RawDocument, title: str) -> tuple[str, Particulars] | None:
    """The title of a notice and what it says of itself: a number of the office, or its name and day below.

    ``title`` is what the document was taken to be called; a notice often has the name of the office above its own.
    """
    lines = [
        line for block in raw.blocks for line in normalise(block.text, keep_lines=True).split("\n") if line
    ]
    front, closing = lines[:_EDGE], lines[-_EDGE:]
    name = next(
        (one for one in (normalise(title), *front) if _TITLE.search(one) and len(one) > _SHORTEST), ""
    )
    if not name or _TALK.search(name):
        return None
    said = particulars_of(name, [line for line in front if line != name], closing, ())
    numbered = any(_NUMBER.search(line) for line in front)
    signed = bool(said.issuer) and said.adopted is not None
    return (name, said) if numbered or signed else None
