"""Checks an answer before anyone sees it: text is compared with text, no model is asked.

Comes in: markdown with [n] marks and the citations given out. Goes out: checks, and the answer without the
sentences that failed. A sentence of law without a source is taken out rather than shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assistant.law.corpus import Corpus
from assistant.law.tables import said_periods
from assistant.model import Check, Citation

_MARK = re.compile(r"\[(\d+)\]")
_LAW = re.compile(r"应当|不得|必须|可以不予|处分|\d+(?:个月|日|年)内|第[一二三四五六七八九十百零〇]+[条款项]")
_FACTS_COMPARED = re.compile(r"^- (?:结论)?与您")  # how a case differs from the question: facts, no law
_NO_PERIOD = re.compile(  # dates, the asker's words, what is set in bold, titles
    r"\d{4}-\d{2}-\d{2}|\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?|（您说的：.*?”）|\*\*[^*]*\*\*|《[^《》]*》"
)
_HEADING = re.compile(r"^(- )?\*\*.+\*\*(（.*）)?$")


def verify(answer: str, citations: Sequence[Citation], corpus: Corpus) -> tuple[str, tuple[Check, ...]]:
    """The answer as it may be shown, and what was checked.

    Checked: every mark has a citation, every citation is a provision of the corpus with these very words and in
    force on the day, every sentence of law carries a mark, the periods it names stand in what it marks. Lines of
    the source list and quotes (``>``) are not law.
    """
    numbers = {c.n for c in citations}
    unknown = sorted({int(n) for n in _MARK.findall(answer)} - numbers)
    wrong = [c.label for c in citations if not _faithful(c, corpus)]
    late = [c.label for c in citations if not c.in_force]
    texts = {c.n: f"{c.text}\n{c.original or ''}" for c in citations}
    kept, dropped, unsaid = [], [], []
    in_sources = False
    for line in answer.split("\n"):
        in_sources = in_sources or line.startswith("**来源**")
        if not in_sources and needs_source(line):
            dropped.append(line)
            continue
        kept.append(line)
        if not in_sources and not line.startswith(">") and not periods_said(line, texts):
            unsaid.append(line)
    checks = (
        Check("标号都有来源", not unknown, "、".join(map(str, unknown))),
        Check("来源与知识库一致", not wrong, "、".join(wrong)),
        Check("来源在该日有效", not late, "、".join(late)),
        Check("法律陈述都有标号", not dropped, "；".join(dropped)),
        Check("期限在来源里写着", not unsaid, "；".join(unsaid)),
    )
    return "\n".join(kept), checks


def _faithful(citation: Citation, corpus: Corpus) -> bool:
    provision = corpus.get(citation.id)
    if provision is None:
        return False
    words = provision.text if citation.kind == "verbatim" else provision.digest
    return citation.label == provision.label and citation.text == words


def periods_said(line: str, texts: Mapping[int, str]) -> bool:
    """Whether the sources that a line marks name every period it names; a line without marks is not asked.

    >>> periods_said("自收到之日起1个月内[1]", {1: "一个月内提出"}), periods_said("2个月内[1]", {1: "一个月内"})
    (True, False)
    """
    marks = [int(n) for n in _MARK.findall(line)]
    if not marks:
        return True
    said = said_periods(_NO_PERIOD.sub("", _MARK.sub("", line)))
    return said <= frozenset().union(*(said_periods(texts.get(n, "")) for n in marks))


def needs_source(line: str) -> bool:
    """Whether a line says law and names no source for it."""
    bare = line.strip()
    if not bare or bare.startswith(">") or _HEADING.match(bare) or _FACTS_COMPARED.match(bare) or "→" in bare:
        return False
    return bool(_LAW.search(bare)) and not _MARK.search(bare)
