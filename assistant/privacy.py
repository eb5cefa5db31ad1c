"""Take out of a text what identifies a person and what no answer needs: numbers and addresses, not names.

Comes in: what a person wrote. Goes out: the same text with placeholders, and what was taken out (kind and
placeholder only, never the value). Years, amounts, articles and document numbers stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Masked:
    """One thing taken out: 身份证号, 手机号, 固定电话, 银行卡号 or 邮箱, and the placeholder in its place."""

    kind: str
    placeholder: str


_HALF_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ID = r"(?P<id>[1-9]\d{5}[ -]?(?:(?:18|19|20)\d{2}[ -]?\d{4}[ -]?\d{3}[\dXx]|\d{2}[01]\d[0-3]\d\d{3}))"
_MOBILE = r"(?P<mobile>(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:\d{8}|[ -]\d{4}[ -]\d{4}))"
_LANDLINE = (
    r"(?P<landline>\(0\d{2,3}\)[ -]?[2-9]\d{6,7}|(?<![\d.])0\d{2,3}[ -][2-9]\d{6,7}|0\d{2,3}[2-9]\d{6,7}"
    r"|(?<=电话)(?:是|为|号码)?[: ]?[2-9]\d{6,7}|400[ -]?\d{3}[ -]?\d{4})"
)
# no card begins with 20: numbers that do are dates with a serial number
_CARD = r"(?P<card>(?:2[2-7]|[3-9]\d)\d{2}(?:\d{12,15}|(?:[ -]\d{4}){3}(?:[ -]\d{1,3})?))"
_EMAIL = r"(?P<email>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})"
# a number is taken as a whole: neither a part of a longer one nor of a decimal or an id
_PRIVATE = re.compile(
    rf"{_EMAIL}|(?<![\dA-Za-z.#])(?:{_ID}|{_CARD}|{_MOBILE}|{_LANDLINE})(?![\dA-Za-z]|\.\d)"
)
_KINDS = {"id": "身份证号", "mobile": "手机号", "landline": "固定电话", "card": "银行卡号", "email": "邮箱"}


def mask_private(text: str) -> tuple[str, tuple[Masked, ...]]:
    """The text with placeholders such as 〔手机号〕, and what was taken out, in the order of the text.

    An 18-digit number is an ID number if it reads as a birth date, with or without a right checksum: people
    mistype their own number. 16 to 19 digits are a bank card if they pass the Luhn check. Full-width digits
    count.

    >>> mask_private('我的电话１３８ 1234 5678，邮箱 a.b@c.cn')[0]
    '我的电话〔手机号〕，邮箱 〔邮箱〕'
    >>> mask_private('依据中办发〔2018〕29号和第7条，损失1200000元')[1]
    ()
    """
    pieces: list[str] = []
    masked: list[Masked] = []
    at = 0
    for kind, start, end in private_numbers(text):
        placeholder = f"〔{kind}〕"
        pieces += text[at:start], placeholder
        masked.append(Masked(kind, placeholder))
        at = end
    return "".join(pieces) + text[at:], tuple(masked)


def private_numbers(text: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each number and mail address that identifies a person, in the order of the text."""
    folded = text.translate(_HALF_WIDTH)  # the same length, so that offsets hold in the original
    for match in _PRIVATE.finditer(folded):
        group = match.lastgroup or ""
        kind = _KINDS[group]
        start, end = match.span(group)
        digits = re.sub(r"[^\dX]", "", match[group].upper())
        if group == "id" and not _is_id(digits):
            if not _is_card(digits):
                continue
            kind = _KINDS["card"]
        if group == "card" and not _is_card(digits):
            continue
        if group == "landline" and (words := re.match(r"(?:是|为|号码)?[: ]?", folded[start:end])):
            start += words.end()
        yield kind, start, end


def _is_id(digits: str) -> bool:
    """A resident ID number: 18 with a checksum, 15 without. A birth date no calendar has rules it out."""
    birth = digits[6:14] if len(digits) == 18 else "19" + digits[6:12]
    try:
        date(int(birth[:4]), int(birth[4:6]), int(birth[6:]))
    except ValueError:
        return False
    if len(digits) == 15:
        return True
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    # a wrong checksum is a slip of the pen, unless the number is a valid bank card
    return _CHECK[total % 11] == digits[-1] or not _is_card(digits)


def _is_card(digits: str) -> bool:
    """Whether 16 to 19 digits pass the Luhn check."""
    if not digits.isdigit() or not 16 <= len(digits) <= 19:
        return False
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
