"""HTML as the words a reader would see: headings, paragraphs, lists and tables of the main text.

Comes in: the bytes of a page. Goes out: :class:`Block` values and what the page says of itself. Scripts, styles,
forms, hidden parts, navigation, page headers and footers are left out; nothing that a page points at is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from assistant.adapters.readers.charset import clean, decode
from assistant.adapters.readers.numbering import numeral
from assistant.adapters.readers.page_facts import facts_of
from assistant.adapters.readers.plain import blocks_of, tidy
from assistant.adapters.readers.values import Unreadable
from assistant.model import Block, RawDocument

_NEVER_READ_NAMES = """script style noscript template iframe object embed applet svg math canvas audio video picture
    map head title meta link button select option optgroup datalist input textarea dialog nav aside
    menu rp rt frameset"""
_NEVER_READ = frozenset(_NEVER_READ_NAMES.split())
_PAGE_EDGES = frozenset({"header", "footer"})  # of the page; those of an article hold its title
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS_NAMES = """html body address article blockquote center dd details div dl dt fieldset figcaption figure
    footer form header hgroup hr legend li main ol p pre section summary table tbody td tfoot th
    thead tr ul caption"""
_BLOCKS = frozenset(_BLOCKS_NAMES.split()) | set(_HEADINGS)
_HIDDEN_STYLE = re.compile(r"(?i)display\s*:\s*none|visibility\s*:\s*hidden")
_CHROME = re.compile(
    r"(?i)(?:^|[\s_-])(?:nav|navbar|menu|breadcrumbs?|crumbs?|header|footer|foot|sidebar|share|bdshare|copyright|related|"
    r"recommend|comments?|pagination|pager|toolbar|qrcode|advert|ads?|banner|top-?bar|location)(?:$|[\s_-])"
)
_CHARSET = re.compile(rb"""(?i)<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,30})""")
_XML_ENCODING = re.compile(rb"""(?i)^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w-]{2,30})""")
_XML_DECLARATION = re.compile(r"(?i)^\s*<\?xml[^>]*\?>")
_BLANKS = re.compile("[ \t\r\n\f]+")
_WIDE = "[\u2018-\uffef]"
_SOURCE_LINE_BREAK = re.compile(f"(?<={_WIDE})[ \t\r\f]*\n[ \t\r\n\f]*(?={_WIDE})")
_INDENT = re.compile("^[\u3000\u00a0\u2002\u2003 ]{2,}|^[\u3000\u2003]")
_SENTENCE_END = tuple("。！？；：…!?;:”’）》")
_MOST = 0.9  # of the sentences of a page: the smallest part that holds so much is its main text
_LITTLE = 300  # characters; a chapter or an appendix in a part of its own has more, and is not left out
_CELLS = 64  # a span of a cell cannot say more
_LONG_CELL = 200


def read_html(content: bytes) -> RawDocument:
    """What a page says.

    Raises:
        Unreadable: it has no words, is nested too deeply, or its encoding cannot be made out.
    """
    declared = _CHARSET.search(content[:8192]) or _XML_ENCODING.search(content[:200])
    text, bad = decode(content, declared[1].decode("ascii") if declared else "")
    root = _parsed(text)
    if root is None:
        raise Unreadable("网页里没有可以读取的文字。")
    everything = _Page(root)
    chosen = _Page(everything.main(), everything.chrome())
    blocks = chosen.blocks or everything.blocks
    facts = facts_of(root, everything.blocks, blocks)
    shown = {block.text for block in everything.blocks} - {block.text for block in blocks}
    if facts.title in shown:  # pages often keep it apart from the text
        blocks = [Block(facts.title, "heading", 1), *blocks]
    notices = (f"有{bad}个字符认不出，显示为“\ufffd”。",) if bad else ()
    return RawDocument(
        "", "html", tuple(blocks), facts.title, facts.author, facts.published, facts.source_url, notices
    )


def fragment_blocks(text: str) -> list[Block]:
    """The blocks of a piece of HTML inside another format."""
    root = _parsed(text)
    return [] if root is None else _Page(root).blocks


def _parsed(text: str) -> Any | None:
    from lxml import etree

    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = etree.fromstring(_XML_DECLARATION.sub("", text).encode("utf-8"), parser)
    except etree.LxmlError:
        return None
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise Unreadable("网页的标签嵌套得异常深，疑似有问题的文件，没有读取。")
    return root


def is_hidden(element: Any) -> bool:
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or bool(_HIDDEN_STYLE.search(element.get("style") or ""))
    )


@dataclass
class _Page:
    """A part of a page as blocks, and where its sentences stand."""

    root: Any
    left_out: Set[Any] = frozenset()
    blocks: list[Block] = field(default_factory=list)
    _weights: dict[Any, int] = field(default_factory=dict)
    _pieces: list[str] = field(default_factory=list)
    _linked: int = 0
    _lists: list[list[Any]] = field(default_factory=list)
    _label: str = ""

    def __post_init__(self) -> None:
        self._walk()
        for element in reversed(list(self.root.iter())):  # children come before their parents
            parent = element.getparent()
            if parent is not None and element in self._weights and element is not self.root:
                self._weights[parent] = self._weights.get(parent, 0) + self._weights[element]

    def main(self) -> Any:
        """The smallest part of the page that holds nearly all of its sentences; an article that is marked as one."""
        total = self._weights.get(self.root, 0)
        marked = [
            element
            for element in self.root.iter("article", "main", "div", "section")
            if self._weights.get(element, 0) >= 0.6 * total
            and (
                element.tag in ("article", "main")
                or element.get("role") == "main"
                or element.get("itemprop") == "articleBody"
            )
        ]
        place = marked[-1] if marked and total else self.root
        total = self._weights.get(place, 0)
        enough = max(_MOST * total, total - _LITTLE)
        while total:
            inner = next((each for each in place if self._weights.get(each, 0) >= enough), None)
            if inner is None or inner.tag not in _BLOCKS or inner.tag in ("p", "ul", "ol"):
                break
            place = inner
        return place

    def chrome(self) -> set[Any]:
        """Parts that are called menus, footers and the like, and hold few of the page's sentences."""
        total = self._weights.get(self.root, 0)
        return {
            element
            for element in self.root.iter()
            if isinstance(element.tag, str)
            and _CHROME.search(f"{element.get('class') or ''} {element.get('id') or ''}")
            and self._weights.get(element, 0) < 0.1 * total
            and element.find(".//h1") is None
        }

    def _walk(self) -> None:
        from lxml import etree

        links = 0
        preformatted = 0
        articles = 0
        skipping = None
        events = etree.iterwalk(self.root, events=("start", "end"))
        for event, element in events:
            tag = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                if self._is_left_out(element, tag, articles):
                    skipping = element
                    events.skip_subtree()
                    if tag in _BLOCKS:
                        self._flush(element.getparent())
                    continue
                if tag in _BLOCKS:
                    self._flush(element.getparent())
                if tag == "table":
                    lines = _data_table(element, self.left_out)
                    if lines is not None:
                        if lines:
                            self.blocks.append(Block("\n".join(lines), "table"))
                            self._weigh(element, sum(map(len, lines)))
                        skipping = element
                        events.skip_subtree()
                        continue
                elif tag in ("ol", "ul"):
                    self._lists.append([element, _start(element)])
                elif tag == "li":
                    self._label = self._next_label(element)
                elif tag == "br":
                    self._pieces.append("\x00")
                links += tag == "a"
                articles += tag in ("article", "main")
                preformatted += tag == "pre"
                self._take(element.text, links, preformatted)
                continue
            if element is skipping:
                skipping = None
            else:
                links -= tag == "a"
                articles -= tag in ("article", "main")
                if tag in _BLOCKS:
                    self._flush(element, _HEADINGS.get(tag, 0), preformatted > 0)
                preformatted -= tag == "pre"
                if tag in ("ol", "ul") and self._lists:
                    self._lists.pop()
            if element is not self.root:
                self._take(element.tail, links, preformatted)
        self._flush(self.root)

    def _is_left_out(self, element: Any, tag: str, articles: int) -> bool:
        if not tag or tag in _NEVER_READ or element in self.left_out or (tag in _PAGE_EDGES and not articles):
            return True
        return bool(element.attrib) and is_hidden(element)

    def _take(self, text: str | None, links: int, preformatted: int) -> None:
        if not text:
            return
        if preformatted:
            self._pieces.append(text.replace("\r\n", "\n").replace("\n", "\x00"))
        else:
            self._pieces.append(text)
        if links:
            self._linked += len(text.strip())

    def _next_label(self, element: Any) -> str:
        """The number that a browser draws before an item of an ordered list."""
        if not self._lists or self._lists[-1][0].tag != "ol":
            return ""
        lists = self._lists[-1]
        lists[1] = _whole(element.get("value"), lists[1])
        number, lists[1] = lists[1], lists[1] + 1
        kind = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
        return f"{numeral(number, kind.get(lists[0].get('type') or '', 'decimal'))}. "

    def _flush(self, owner: Any, level: int = 0, preformatted: bool = False) -> None:
        """End the paragraph that was being gathered; ``owner`` is the element it belongs to."""
        if not self._pieces:
            return
        text, linked = clean_breaks("".join(self._pieces)), self._linked
        self._pieces.clear()
        self._linked = 0
        found = _paragraphs(text, preformatted)
        if not found:
            return
        label, self._label = self._label, ""
        if label:
            found[0] = Block(label + found[0].text, found[0].kind)
        if level:
            found = [Block(tidy("".join(block.text for block in found)), "heading", level)]
        self.blocks += found
        weight = sum(
            len(block.text) for block in found if len(block.text) >= 30 or block.text.endswith(_SENTENCE_END)
        )
        if owner is not None and linked < 0.5 * len(text):
            self._weigh(owner, weight)

    def _weigh(self, element: Any, weight: int) -> None:
        self._weights[element] = self._weights.get(element, 0) + weight


def clean_breaks(text: str) -> str:
    """Control characters out, except the mark that stands for a line break."""
    return "\x00".join(clean(piece) for piece in text.split("\x00"))


def _paragraphs(text: str, preformatted: bool) -> list[Block]:
    """A run of text parted by line breaks. Two breaks part paragraphs; one does where a sentence ends or an indent
    begins, and everywhere in such a run; where it does neither, the pieces are lines."""
    if preformatted:
        return blocks_of(text.replace("\x00", "\n"))
    lines = [_BLANKS.sub(" ", _SOURCE_LINE_BREAK.sub("", line)) for line in text.split("\x00")]
    groups: list[list[str]] = [[]]
    for line in lines:
        if tidy(line):
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    found: list[Block] = []
    for group in groups:
        ended = all(
            tidy(line).endswith(_SENTENCE_END) or bool(_INDENT.match(after))
            for line, after in pairwise(group)
        )
        if ended:
            found += (Block(tidy(line), "paragraph") for line in group)
        else:
            found += (Block(line.replace("\u00a0", " ").rstrip(), "line") for line in group)
    return found


def _start(element: Any) -> int:
    return _whole(element.get("start"), 1)


def _whole(written: str | None, otherwise: int) -> int:
    return int(written) if written and re.fullmatch(r"\d{1,5}", written.strip()) else otherwise


def _rows(table: Any) -> Iterator[Any]:
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in child if row.tag == "tr")


def _data_table(table: Any, left_out: Set[Any]) -> list[str] | None:
    """The rows of a table as lines; None when the table only lays a page out."""
    if next(table.iterdescendants("table", *_HEADINGS), None) is not None:
        return None
    rows: list[list[str]] = []
    below: dict[int, int] = {}  # column -> rows that a cell above still covers
    for row in _rows(table):
        cells: list[str] = []
        for cell in row:
            if cell.tag not in ("td", "th") or cell in left_out or is_hidden(cell):
                continue
            while below.get(len(cells), 0) > 0:
                below[len(cells)] -= 1
                cells.append("")
            parts = _Page(cell, left_out).blocks
            text = " ".join(block.text for block in parts)
            if len(parts) > 3 and len(text) > _LONG_CELL:
                return None
            span, depth = _whole(cell.get("colspan"), 1), _whole(cell.get("rowspan"), 1)
            for column in range(len(cells), len(cells) + min(max(span, 1), _CELLS)):
                below[column] = min(depth, 1000) - 1
            cells += [re.sub(r"[\t\n]+", " ", text), *[""] * (min(max(span, 1), _CELLS) - 1)]
        while below.get(len(cells), 0) > 0:
            below[len(cells)] -= 1
            cells.append("")
        rows.append(cells)
    if all(sum(1 for cell in row if cell) <= 1 for row in rows):
        return None
    return [line for row in rows if (line := "\t".join(row).rstrip("\t")).strip()]
