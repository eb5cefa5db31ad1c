"""Simplified characters shown as traditional ones, for those who read these. What is kept stays as it was."""

from __future__ import annotations

import warnings
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

_LONGEST = 20_000  # characters of one text
_MOST = 200_000  # of all texts of one request


class Texts(BaseModel):
    """Texts of a page, in their order."""

    texts: Annotated[list[Annotated[str, StringConstraints(max_length=_LONGEST)]], Field(max_length=2000)]


def traditional(text: str) -> str:
    """The text in traditional characters.

    >>> traditional("问责")
    '問責'
    """
    with warnings.catch_warnings():  # zhconv still asks for pkg_resources, which warns that it is old
        warnings.simplefilter("ignore")
        import zhconv  # late: its dictionary costs a quarter of a second
    return str(zhconv.convert(text, "zh-hant"))


def add_pages() -> APIRouter:
    """``POST /traditional``."""
    router = APIRouter()

    @router.post("/traditional")
    def convert(sent: Texts) -> Texts:
        left, shown = _MOST, []
        for text in sent.texts:
            left -= len(text)
            shown.append(traditional(text) if left >= 0 else text)
        return Texts.model_construct(texts=shown)

    return router
