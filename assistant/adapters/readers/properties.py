"""What a file says of itself in its properties, without what programs fill in there."""

from __future__ import annotations

import re

from assistant.adapters.readers.charset import clean

_NO_TITLE = re.compile(
    r"(?i)^(microsoft (office )?word.*|\(?untitled\)?|\(?anonymous\)?|word document|无标题|新建.*"
    r"|(文档|document|doc)\s*\d*|about:blank|https?://.*|.*\.(docx?|wps|pdf|indd|rtf|txt))$"
)
_NO_AUTHOR = re.compile(
    r"(?i)^(\(?anonymous\)?|\(?unspecified\)?|unknown|user\d*|admin|administrator|python-docx|微软用户|微软中国|用户|个人用户"
    r"|(microsoft|lenovo|hp|dell|asus|acer|think|wps|windows|office|apache poi|未定义|雨林木风).*|pc-?\d*|\W+|\d+)$"
)


def title_of(written: object) -> str:
    """
    >>> title_of(" 试验条例 "), title_of("Microsoft Word - 1.docx"), title_of(None)
    ('试验条例', '', '')
    """
    title = " ".join(clean(str(written or "")).split())
    return "" if len(title) > 200 or _NO_TITLE.match(title) else title


def author_of(written: object) -> str:
    """
    >>> author_of("张某"), author_of("Administrator"), author_of("(anonymous)")
    ('张某', '', '')
    """
    author = " ".join(clean(str(written or "")).split())
    return "" if len(author) > 60 or _NO_AUTHOR.match(author) else author
