"""Changes between two versions of a regulation in words, the way an amending decision puts them.

Comes in: what ``differences`` found. Goes out: Markdown that reads as plain text too. Quoted words come from outside:
marks that Markdown would take for its own are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.documents.differences import Change, Edit
from assistant.law.addresses import write_address
from assistant.law.text import number_to_chinese

NOTHING = "条文没有变化。"
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")
_PARTS = {"title": "标题", "effective": "施行日期", "preamble": "题注", "closing": "落款"}


def in_words(changes: Sequence[Change]) -> str:
    """A sentence that counts, then one bullet for each change; runs of articles that only got other numbers are one.

    >>> print(in_words((Change("article", "renumbered", "3", "4"), Change("article", "renumbered", "4", "5"))))
    条号有变2条。
    <BLANKLINE>
    - 原第三条至第四条依次改为第四条至第五条，文字没有变化
    """
    if not changes:
        return NOTHING
    return "\n".join((in_short(changes), "", *_bullets(changes)))


def in_short(changes: Sequence[Change]) -> str:
    """One sentence: how many articles were added, removed, changed; what else is different.

    >>> in_short((Change("article", "added", "", "3"), Change("title", "changed", "甲", "乙")))
    '新增1条；标题有变化。'
    """
    if not changes:
        return NOTHING
    names = {
        "added": "新增{}条",
        "removed": "删去{}条",
        "changed": "修改{}条",
        "moved": "移动{}条",
        "renumbered": "条号有变{}条",
    }
    counted = {kind: sum(c.part == "article" and c.kind == kind for c in changes) for kind in names}
    # what was changed, and got another number too, is in the first count only
    pieces = [names[kind].format(count) for kind, count in counted.items() if count]
    others = [_PARTS[c.part] for c in changes if c.part in _PARTS]
    others += ["章节标题"] if any(c.part == "heading" for c in changes) else []
    others += ["附件"] if any(c.part == "appendix" for c in changes) else []
    sentence = "，".join(pieces)
    if others:
        sentence += ("；" if pieces else "") + "、".join(others) + "有变化"
    return sentence + "。"


def _bullets(changes: Sequence[Change]) -> Iterator[str]:
    at = 0
    while at < len(changes):
        run = _run(changes, at)
        if len(run) > 1:
            yield f"- {_of_run(run)}"
        else:
            yield from _of(changes[at])
        at += len(run)


def _run(changes: Sequence[Change], at: int) -> Sequence[Change]:
    """The changes from ``at`` on that are one sentence: articles that follow one another and fared alike."""
    end = at + 1
    first = changes[at]
    if first.part == "article" and first.kind in ("renumbered", "moved"):
        while end < len(changes) and _follows(changes[end - 1], changes[end]):
            end += 1
    return changes[at:end]


def _follows(one: Change, other: Change) -> bool:
    alike = (one.part, one.kind, one.old_section, one.new_section)
    if alike != (other.part, other.kind, other.old_section, other.new_section):
        return False
    numbers = (one.old, other.old, one.new, other.new)
    return all(n.isdigit() for n in numbers) and all(
        int(numbers[at + 1]) == int(numbers[at]) + 1 for at in (0, 2)
    )


def _of_run(run: Sequence[Change]) -> str:
    old = f"{_article(run[0].old)}至{_article(run[-1].old)}"
    new = f"{_article(run[0].new)}至{_article(run[-1].new)}"
    if run[0].kind == "renumbered":
        return f"原{old}依次改为{new}，文字没有变化"
    number = "" if old == new else f"（原{old}）"
    return f"{new}{number}{_from_to(run[0])}，文字没有变化"


def _from_to(change: Change) -> str:
    return f"由“{_escaped(change.old_section)}”移到“{_escaped(change.new_section)}”"


def _of(change: Change) -> Iterator[str]:
    if change.part == "article":
        yield from _of_article(change)
    elif change.part == "heading":
        yield f"- 章节标题“{_escaped(change.old)}”改为“{_escaped(change.new)}”"
    elif change.part in ("title", "effective"):
        yield f"- {_PARTS[change.part]}由“{_escaped(change.old)}”改为“{_escaped(change.new)}”"
    else:
        yield from _of_other(change)


def _of_article(change: Change) -> Iterator[str]:
    if change.kind == "added":
        yield f"- 增加{_article(change.new)}{_under(change.new_section)}：{_words(change.new_words)}"
    elif change.kind == "removed":
        yield f"- 删去原{_article(change.old)}{_under(change.old_section)}：{_words(change.old_words)}"
    elif change.kind == "renumbered":
        yield f"- 原{_article(change.old)}改为{_article(change.new)}，文字没有变化"
    else:
        number = "" if change.old == change.new else f"（原{_article(change.old)}）"
        name = f"{_article(change.new)}{number}"
        if change.kind == "moved":
            yield f"- {name}{_from_to(change)}，文字没有变化"
            return
        moved = _from_to(change) + "，并" if change.old_section else ""
        yield from _listed(f"{name}{moved}", change.edits)


def _of_other(change: Change) -> Iterator[str]:
    name = _PARTS.get(change.part) or f"“{_escaped(change.new or change.old)}”"
    if change.kind == "added":
        yield f"- 增加{name}：{_words(change.new_words)}"
    elif change.kind == "removed":
        yield f"- 删去{name}：{_words(change.old_words)}"
    elif change.kind == "renumbered":
        yield f"- 附件标题“{_escaped(change.old)}”改为“{_escaped(change.new)}”"
    else:
        yield from _listed(name, change.edits)


def _listed(name: str, edits: Sequence[Edit]) -> Iterator[str]:
    sentences = list(_edits(edits))
    if len(sentences) == 1:
        yield f"- {name}：{sentences[0]}"
    else:
        yield f"- {name}："
        yield from (f"  - {sentence}" for sentence in sentences)


# ---------------------------------------------------------------- inside an article


def _edits(edits: Sequence[Edit]) -> Iterator[str]:
    """Where several edits stand in one paragraph or item, its name is written once."""
    several = any(place and place != (1, 0) for edit in edits for place in (edit.old_place, edit.new_place))
    at = 0
    while at < len(edits):
        edit = edits[at]
        if edit.kind == "renumbered":
            run = _renumbered_run(edits, at)
            yield _renumbered(run)
            at += len(run)
            continue
        end = at + 1
        while (
            end < len(edits)
            and edit.kind in _WORDS
            and edits[end].kind in _WORDS
            and edits[end].new_place == edit.new_place
        ):
            end += 1
        place = _place(edit.new_place) if several and edit.kind in _WORDS and edit.new_place else ""
        yield (f"{place}：" if place else "") + "；".join(_of_edit(e) for e in edits[at:end])
        at = end


_WORDS = ("added", "removed", "replaced")


def _of_edit(edit: Edit) -> str:
    if edit.kind == "divided":
        return "文字没有变化，只是分款、分项不同"
    if edit.kind == "unit_added":
        return f"增加{_place(edit.new_place)}：{_words(edit.new)}"
    if edit.kind == "unit_removed":
        return f"删去原{_place(edit.old_place)}：{_words(edit.old)}"
    if edit.kind == "replaced":
        return f"{_behind(edit)}把{_words(edit.old)}改为{_words(edit.new)}"
    if edit.kind == "removed":
        return f"{_behind(edit)}删去{_words(edit.old)}"
    if edit.after:
        return f"在{_words(edit.after)}之后增加{_words(edit.new)}"
    if edit.before:
        return f"在{_words(edit.before)}之前增加{_words(edit.new)}"
    return f"增加{_words(edit.new)}"


def _behind(edit: Edit) -> str:
    """Short words occur more than once: then what stands before them is shown as well."""
    return f"{_words(edit.after)}之后，" if edit.after and len(edit.old) < 4 else ""


def _renumbered_run(edits: Sequence[Edit], at: int) -> Sequence[Edit]:
    end = at + 1
    while end < len(edits) and edits[end].kind == "renumbered":
        one, other = edits[end - 1], edits[end]
        if not (_next(one.old_place, other.old_place) and _next(one.new_place, other.new_place)):
            break
        end += 1
    return edits[at:end]


def _next(one: tuple[int, int] | None, other: tuple[int, int] | None) -> bool:
    if one is None or other is None:
        return False
    if one[1] or other[1]:
        return one[0] == other[0] and other[1] == one[1] + 1
    return other[0] == one[0] + 1


def _renumbered(run: Sequence[Edit]) -> str:
    first, last = run[0], run[-1]
    if len(run) == 1:
        return f"原{_place(first.old_place)}改为{_place(first.new_place)}"
    return (
        f"原{_place(first.old_place)}至{_place(last.old_place)}"
        f"依次改为{_place(first.new_place)}至{_place(last.new_place)}"
    )


def _place(place: tuple[int, int] | None) -> str:
    if place is None:
        return ""
    paragraph, item = place
    words = f"第{number_to_chinese(paragraph)}款" if paragraph > 1 or not item else ""
    return words + (f"第（{number_to_chinese(item)}）项" if item else "")


def _article(number: str) -> str:
    return write_address(number, None, None)


def _under(section: str) -> str:
    return f"（{_escaped(section)}）" if section else ""


def _words(text: str) -> str:
    """Quoted on one line; quotation marks inside become single ones, as Chinese writing has it."""
    flat = re.sub(r"\s*\n\s*", " ", text.strip())
    return f"“{_escaped(flat)}”"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
