"""The readers on real files of every format: the words, their kind, their pages, and what the file says of itself."""

from __future__ import annotations

import io
import sys
import threading
import time
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from assistant.adapters.readers import Limits, Source, ocr, read, sources
from assistant.errors import DocumentError
from assistant.model import Block, RawDocument
from tests.documents import Centred, Rows, cjk_font, make_docx, make_html, make_pdf, make_scanned_pdf

LIMITS = Limits()
ARTICLES = (
    "第一条　为了规范试验工作，明确试验责任，根据有关规定和本单位实际，制定本办法。",
    "第二条　本办法所称试验，是指在 2019 年以后开展的、由试验委员会批准的各类试验活动，包括室内试验、野外试验以及其他"
    "需要专门批准的试验活动。",
    "第三条　试验人员有下列情形之一的，应当说明情况：",
    "（一）没有按照规定记录的；",
    "（二）记录与事实不符的；",
    "（三）其他应当说明的情形。",
    "第四条　依照第三条说明情况的，应当自收到通知之日起5个工作日内提出书面材料，由试验委员会在收到材料后十五日内答复。",
)


def found(*paths: Path, limits: Limits = LIMITS) -> list[Source | DocumentError]:
    return list(sources(paths, limits))


def read_file(path: Path, limits: Limits = LIMITS) -> RawDocument:
    (source,) = found(path, limits=limits)
    assert isinstance(source, Source), source
    return read(source, limits)


def read_text(text: str | bytes, name: str = "甲.txt") -> RawDocument:
    return read(Source(name, text.encode() if isinstance(text, str) else text), LIMITS)


def words(blocks: Sequence[Block]) -> str:
    return "".join("".join(block.text.split()) for block in blocks)


def texts(document: RawDocument) -> list[str]:
    return [block.text for block in document.blocks]


# ---------------------------------------------------------------- PDF


@pytest.mark.parametrize("edges_first", [False, True])
def test_pdf_gives_lines_with_pages_and_indents(tmp_path: Path, edges_first: bool) -> None:
    paragraphs = [Centred("试验工作责任办法"), *ARTICLES * 4]
    path = tmp_path / "办法.pdf"
    count = make_pdf(
        path, paragraphs, title="试验工作责任办法", author="张某", header="试验文件", edges_first=edges_first
    )
    document = read_file(path)
    assert (document.format, document.title, document.author) == ("pdf", "试验工作责任办法", "张某")
    assert count == 3
    assert {block.page for block in document.blocks} == {1, 2, 3}
    for page in range(1, count + 1):
        lines = [block.text for block in document.blocks if block.page == page]
        assert lines[0] == "试验文件"
        assert lines[-1] == f"— {page} —"
    body = [block for block in document.blocks if block.text != "试验文件" and not block.text.startswith("—")]
    assert words(body) == "".join("".join(text.split()) for text in paragraphs)
    begun = [block.text for block in body if block.text.startswith("　　")]
    assert len(begun) == len(ARTICLES) * 4  # each paragraph's first line and no other
    assert begun[0].startswith("　　第一条")
    assert all(block.kind == "line" for block in document.blocks)


def test_pdf_number_keeps_its_blank_and_running_text_loses_stray_ones(tmp_path: Path) -> None:
    path = tmp_path / "甲.pdf"
    make_pdf(path, ["第九条 试验人员应当按照规定及 时记录全部经过并且报告结果的。"], footer="")
    (line, *_rest) = texts(read_file(path))
    assert line.startswith("第九条 试验人员应当按照规定及时记录")


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_pdf_locked_against_changes_only_is_read(tmp_path: Path, algorithm: str) -> None:
    import pypdf

    path = tmp_path / "甲.pdf"
    make_pdf(path, ARTICLES)
    writer = pypdf.PdfWriter(clone_from=path)
    writer.encrypt("", "owner", algorithm=algorithm)
    writer.write(path)
    assert "试验工作" in words(read_file(path).blocks)


def test_pdf_damaged_page_is_named_and_the_rest_read(tmp_path: Path) -> None:
    import pypdf
    from pypdf.generic import DecodedStreamObject, NameObject

    path = tmp_path / "甲.pdf"
    make_pdf(path, ARTICLES * 6)
    writer = pypdf.PdfWriter(clone_from=path)
    stream = DecodedStreamObject()
    stream.set_data(b"no stream of this kind")
    stream[NameObject("/Filter")] = NameObject("/JBIG2Decode")
    writer.pages[1][NameObject("/Contents")] = writer._add_object(stream)
    writer.write(path)
    document = read_file(path)
    assert [notice for notice in document.notices if "第2页" in notice]
    assert {1, 3} <= {block.page for block in document.blocks}


def test_pdf_with_too_many_pages_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "甲.pdf"
    make_pdf(path, ARTICLES * 6)
    with pytest.raises(DocumentError, match=r"^甲.pdf：有.页，超过2页的上限"):
        read_file(path, Limits(pages=2))


needs_font = pytest.mark.skipif(cjk_font() is None, reason="这台机器没有中文字体，画不出扫描件")
needs_ocr = pytest.mark.skipif(not ocr.is_installed(), reason="没有安装 zeming[ocr]")


@needs_font
@needs_ocr
def test_scanned_pages_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "扫描.pdf"
    shown = [
        "试验工作责任办法",
        "　　第一条 为了规范试验工作，制定本办法。",
        "　　第二条 本办法自发布之日起施行。",
    ]
    make_scanned_pdf(path, [shown], cjk_font() or "", text_page="这一页本来就有文字，不需要识别。")
    document = read_file(path)
    assert [block.page for block in document.blocks] == [1, 1, 1, 2]
    assert words(document.blocks[:3]) == "".join("".join(line.split()) for line in shown)
    assert document.notices == ("第1页是图片，文字由识别得来，请与原件核对。",)


@needs_font
def test_scanned_pages_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "is_installed", lambda: False)
    path = tmp_path / "扫描.pdf"
    make_scanned_pdf(path, [["第一条"], ["第二条"]], cjk_font() or "")
    with pytest.raises(DocumentError, match=r"^扫描.pdf：是扫描件，第1–2页只有图片.*zeming\[ocr\]"):
        read_file(path)
    make_scanned_pdf(path, [["第一条"]], cjk_font() or "", text_page="这一页本来就有文字，不需要识别。")
    document = read_file(path)
    assert texts(document) == ["这一页本来就有文字，不需要识别。"]
    (notice,) = document.notices
    assert "第1页只有图片" in notice
    assert "zeming[ocr]" in notice


# ---------------------------------------------------------------- DOCX


def test_docx_paragraphs_headings_tables_and_properties(tmp_path: Path) -> None:
    path = tmp_path / "办法.docx"
    rows = Rows((("情形", "影响期"), ("通报", "六个月"), ("诫勉", "一年")))
    make_docx(
        path,
        ["第一章　总则", *ARTICLES, rows, "附则"],
        title="试验办法",
        author="张某",
        headings=["第一章　总则"],
    )
    document = read_file(path)
    assert (document.format, document.title, document.author) == ("docx", "试验办法", "张某")
    assert document.blocks[0] == Block("第一章　总则", "heading", 1)
    assert [block.text for block in document.blocks[1:8]] == list(ARTICLES)
    assert document.blocks[8] == Block("情形\t影响期\n通报\t六个月\n诫勉\t一年", "table")
    assert document.blocks[9] == Block("附则", "paragraph")


def _numbered(
    levels: Sequence[tuple[str, str]], used: Sequence[tuple[int, str] | str], more: str = ""
) -> bytes:
    """A DOCX whose numbers are made by Word: ``levels`` are (format, words), ``used`` (level, text) or plain text."""
    document = docx.Document()
    numbering = document.part.numbering_part.element
    written = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{label}"/></w:lvl>'
        for at, (kind, label) in enumerate(levels)
    )
    abstract = parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{written}</w:abstractNum>')
    numbering.insert(0, abstract)
    numbering.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/>{more}</w:num>')
    )
    numbering.append(
        parse_xml(
            f'<w:num {nsdecls("w")} w:numId="78"><w:abstractNumId w:val="77"/>'
            '<w:lvlOverride w:ilvl="1"><w:startOverride w:val="1"/></w:lvlOverride></w:num>'
        )
    )
    for item in used:
        paragraph = document.add_paragraph(item if isinstance(item, str) else item[1])
        if not isinstance(item, str):
            properties = paragraph._p.get_or_add_pPr()
            properties.append(
                parse_xml(
                    f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{item[0] % 10}"/>'
                    f'<w:numId w:val="{78 if item[0] >= 10 else 77}"/></w:numPr>'
                )
            )
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def test_docx_numbers_that_word_makes_are_in_the_text() -> None:
    content = _numbered(
        [
            ("chineseCountingThousand", "第%1条"),
            ("chineseCounting", "（%2）"),
            ("decimal", "%3．"),
            ("bullet", "•"),
        ],
        [
            (0, "甲"),
            (1, "子"),
            (1, "丑"),
            (2, "细"),
            (0, "乙"),
            (1, "寅"),
            "不编号",
            (3, "点"),
            *[(0, "丙")] * 10,
        ],
    )
    document = read(Source("甲.docx", content), LIMITS)
    assert texts(document) == [
        "第一条　甲", "（一）子", "（二）丑", "1．细", "第二条　乙", "（一）寅", "不编号", "点",
        *[f"第{number}条　丙" for number in ("三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")],
    ]  # fmt: skip


def test_docx_list_that_starts_anew_and_list_that_goes_on() -> None:
    content = _numbered(
        [("chineseCountingThousand", "第%1条"), ("chineseCounting", "（%2）")],
        [(0, "甲"), (1, "子"), (1, "丑"), (11, "新"), (11, "旧"), (0, "乙")],
    )
    assert texts(read(Source("甲.docx", content), LIMITS)) == [
        "第一条　甲", "（一）子", "（二）丑", "（一）新", "（二）旧", "第二条　乙",
    ]  # fmt: skip


def test_docx_numbering_by_style() -> None:
    document = docx.Document(io.BytesIO(_numbered([("chineseCountingThousand", "第%1章")], [])))
    style = document.styles["Heading 1"].element
    style.get_or_add_pPr().append(parse_xml(f'<w:numPr {nsdecls("w")}><w:numId w:val="77"/></w:numPr>'))
    document.add_paragraph("总则", "Heading 1")
    document.add_paragraph("正文。")
    document.add_paragraph("附则", "Heading 1")
    made = io.BytesIO()
    document.save(made)
    assert read(Source("甲.docx", made.getvalue()), LIMITS).blocks == (
        Block("第一章　总则", "heading", 1),
        Block("正文。", "paragraph"),
        Block("第二章　附则", "heading", 1),
    )


def test_docx_tracked_changes_hidden_text_boxes_fields_and_breaks() -> None:
    document = docx.Document()
    space = (
        nsdecls("w", "wp", "a") + ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    for inner in (
        "<w:r><w:t>应当</w:t></w:r><w:ins><w:r><w:t>及时</w:t></w:r></w:ins><w:del><w:r><w:delText>尽快</w:delText></w:r>"
        "</w:del><w:moveFrom><w:r><w:t>搬走</w:t></w:r></w:moveFrom><w:r><w:t>报告。</w:t></w:r>",
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>看不见</w:t></w:r><w:r><w:t>看得见</w:t></w:r>",
        '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>PAGE</w:instrText><w:fldChar w:fldCharType="separate"/>'
        '<w:t>依照第三条</w:t><w:fldChar w:fldCharType="end"/></w:r>',
        "<w:r><w:t>上一行</w:t><w:br/><w:t>下一行</w:t></w:r>",
        "<w:r><mc:AlternateContent><mc:Choice><w:drawing><w:txbxContent><w:p><w:r><w:t>框内</w:t></w:r></w:p>"
        "</w:txbxContent></w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent><w:p><w:r><w:t>框内</w:t></w:r></w:p>"
        "</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>框外</w:t></w:r>",
    ):
        document.element.body.insert(-1, parse_xml(f"<w:p {space}>{inner}</w:p>"))
    document.element.body.insert(
        -1,
        parse_xml(f"<w:p {space}><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>前半句，</w:t></w:r></w:p>"),
    )
    document.element.body.insert(-1, parse_xml(f"<w:p {space}><w:r><w:t>后半句。</w:t></w:r></w:p>"))
    document.sections[0].header.paragraphs[0].text = "页眉"
    made = io.BytesIO()
    document.save(made)
    assert texts(read(Source("甲.docx", made.getvalue()), LIMITS)) == [
        "应当及时报告。", "看得见", "依照第三条", "上一行", "下一行", "框外", "框内", "前半句，后半句。",
    ]  # fmt: skip


def test_docx_whose_text_stands_in_a_table_gives_paragraphs() -> None:
    made = io.BytesIO()
    document = docx.Document()
    cell = document.add_table(1, 1).cell(0, 0)
    for words_ in ARTICLES:
        cell.add_paragraph(words_)
    document.save(made)
    document_read = read(Source("甲.docx", made.getvalue()), LIMITS)
    assert texts(document_read) == list(ARTICLES)
    assert {block.kind for block in document_read.blocks} == {"paragraph"}


def test_docx_with_macros_and_docx_called_doc_are_read(tmp_path: Path) -> None:
    made = io.BytesIO()
    make_docx(made, ["第一条　甲。"])
    plain = zipfile.ZipFile(made)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in plain.namelist():
            data = plain.read(name)
            if name == "[Content_Types].xml":
                data = data.replace(
                    b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
                    b"application/vnd.ms-word.document.macroEnabled.main+xml",
                )
            out.writestr(name, data)
        out.writestr("word/vbaProject.bin", b"Sub AutoOpen()")
    assert texts(read(Source("甲.docm", changed.getvalue()), LIMITS)) == ["第一条　甲。"]
    renamed = read(Source("甲.doc", made.getvalue()), LIMITS)
    assert texts(renamed) == ["第一条　甲。"]
    assert renamed.notices == ("扩展名是 .doc，内容其实是DOCX，已按DOCX读取。",)


# ---------------------------------------------------------------- HTML


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "gbk"])
def test_html_gives_the_main_text_only(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "办法.html"
    make_html(
        path, ["第一章　总则", *ARTICLES], title="试验办法", headings=["第一章　总则"], encoding=encoding
    )
    document = read_file(path)
    assert (document.format, document.title, document.published) == ("html", "试验办法", date(2024, 3, 5))
    assert document.blocks[0] == Block("试验办法", "heading", 1)
    assert document.blocks[1] == Block("第一章　总则", "heading", 2)
    assert texts(document)[2:] == list(ARTICLES)


HTML = [
    ("<p>甲一。<br><br>　　乙二。</p>", [("甲一。", "paragraph"), ("乙二。", "paragraph")]),
    ("<p>甲一。<br>　　乙二。<br>　　丙</p>", [("甲一。", "paragraph"), ("乙二。", "paragraph"), ("丙", "paragraph")]),
    ("<p>这是同一句话的<br>下半段。</p>", [("这是同一句话的", "line"), ("下半段。", "line")]),
    ("<p>源文件里\n  换了行</p>", [("源文件里换了行", "paragraph")]),
    ("<p>the rule\n of law</p>", [("the rule of law", "paragraph")]),
    ("<ol start=3><li>甲</li><li>乙</li></ol><ul><li>丙</li></ul>",
     [("3. 甲", "paragraph"), ("4. 乙", "paragraph"), ("丙", "paragraph")]),
    ("<table><tr><th>情形<th>期<tr><td rowspan=2>通报<td>六月<tr><td>一年</table>",
     [("情形\t期\n通报\t六月\n\t一年", "table")]),
    ("<table><tr><td><p>甲。</p><p>乙。</p></td></tr></table>", [("甲。", "paragraph"), ("乙。", "paragraph")]),
    ("<p>看<span style='display: none'>不</span>见<b hidden>吗</b></p><noscript>无</noscript>",
     [("看见", "paragraph")]),
    ("<nav>菜单</nav><footer>页脚</footer><p>正文&amp;&lt;b&gt;</p>", [("正文&<b>", "paragraph")]),
    ("<pre>第一行\n第二行</pre>", [("第一行", "paragraph"), ("第二行", "paragraph")]),
    ("<p>&emsp;&emsp;第一条&emsp;甲。</p>", [("第一条　甲。", "paragraph")]),
    ("<div>散字<p>段落</p>尾巴</div>", [("散字", "paragraph"), ("段落", "paragraph"), ("尾巴", "paragraph")]),
]  # fmt: skip


@pytest.mark.parametrize(("markup", "expected"), HTML)
def test_html_table(markup: str, expected: list[tuple[str, str]]) -> None:
    document = read_text(f"<html><body>{markup}</body></html>", "甲.html")
    assert [(block.text, block.kind) for block in document.blocks] == expected


def test_html_of_the_old_kind() -> None:
    """A page laid out with tables, tags left open, title and day in tables of their own, GB 2312."""
    page = """<HTML><HEAD><META content="text/html; charset=gb2312"><TITLE>试验办法_某市</TITLE></HEAD><BODY>
    <TABLE><TR><TD><A href=1>首页</A>|<A href=2>新闻</A></TD></TR></TABLE>
    <TABLE><TR><TD><TABLE><TR><TD>栏目<TR><TD><A href=x>要闻</A></TABLE></TD><TD>
    <TABLE><TR><TD><FONT size=5>试验办法</FONT></TD></TR><TR><TD>2019-09-04 来源：某市</TD></TR>
    <TR><TD><P>&nbsp;&nbsp;&nbsp;&nbsp;第一条<SPAN>&nbsp; </SPAN>为了规范试验，<B>制定</B>本办法。<o:p></o:p>
    <P>第二条　本办法由试验委员会
    负责解释。<TABLE border=1><TR><TD>情形<TD>期限<TR><TD>通报<TD>六个月</TABLE></TD></TR></TABLE>
    </TD></TR></TABLE><P align=center>版权所有 某市</BODY></HTML>"""
    document = read(Source("甲.htm", page.encode("gb2312")), LIMITS)
    assert (document.title, document.published) == ("试验办法", date(2019, 9, 4))
    assert document.blocks == (
        Block("试验办法", "heading", 1),
        Block("第一条 为了规范试验，制定本办法。", "paragraph"),
        Block("第二条　本办法由试验委员会负责解释。", "paragraph"),
        Block("情形\t期限\n通报\t六个月", "table"),
    )


def test_html_keeps_an_appendix_in_a_part_of_its_own() -> None:
    body = "".join(f"<p>{text}</p>" for text in ARTICLES)
    page = f"<html><body><div>{body * 20}</div><div><p>附件</p>{body * 2}</div></body></html>"
    assert len(read_text(page, "甲.html").blocks) == len(ARTICLES) * 22 + 1


def test_html_facts() -> None:
    page = """<html><head><title>试验评论 - 某网</title><meta name="author" content="李某">
    <meta property="og:url" content="https://example.org/1"><meta name="PubDate" content="2021-07-01 08:00"></head>
    <body><p>问责要精准。</p></body></html>"""
    document = read_text(page, "甲.htm")
    assert (document.title, document.author, document.published, document.source_url) == (
        "试验评论", "李某", date(2021, 7, 1), "https://example.org/1",
    )  # fmt: skip


def test_html_that_looks_like_a_script_stays_text() -> None:
    document = read_text(
        "<html><body><p>&lt;script&gt;alert(1)&lt;/script&gt;第一条</p></body></html>", "甲.html"
    )
    assert texts(document) == ["<script>alert(1)</script>第一条"]


# ---------------------------------------------------------------- Markdown and plain text


def test_markdown() -> None:
    text = """---
title: 试验办法
author: 张某
date: 2020-05-06
---
# 试验办法

<!-- 这是注释 -->
2020年5月6日 某会议通过
2020年6月1日 某机关发布

## 第一章 总则

第一条 **为了**规范[试验](http://example.org)，制定本办法。

3. 第三项
4. 第四项

| 情形 | 期 |
|---|---|
| 通报 | 六个月 |
"""
    document = read_text(text, "甲.md")
    assert (document.format, document.title, document.author, document.published) == (
        "markdown", "试验办法", "张某", date(2020, 5, 6),
    )  # fmt: skip
    assert document.blocks == (
        Block("试验办法", "heading", 1),
        Block("2020年5月6日 某会议通过", "paragraph"),
        Block("2020年6月1日 某机关发布", "paragraph"),
        Block("第一章 总则", "heading", 2),
        Block("第一条 为了规范试验，制定本办法。", "paragraph"),
        Block("3. 第三项", "paragraph"),
        Block("4. 第四项", "paragraph"),
        Block("情形\t期\n通报\t六个月", "table"),
    )


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "gb18030"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_encodings(encoding: str) -> None:
    document = read_text("　　第一条　甲〇㐀。\r\n\r\n第二条　乙。".encode(encoding))
    assert document.blocks == (Block("第一条　甲〇㐀。", "paragraph"), Block("第二条　乙。", "paragraph"))


def test_text_in_big5() -> None:
    assert texts(read_text("黨內問責要精準，不能問下不問上。".encode("big5"))) == [
        "黨內問責要精準，不能問下不問上。"
    ]


def test_text_with_a_few_characters_lost() -> None:
    document = read_text("第一条　试验人员应当记录。\n".encode() * 100 + b"\xff\xe7\xac")
    assert len(document.blocks) == 101
    assert document.notices == ("有2个字符认不出，显示为“\ufffd”。",)


def test_text_broken_into_lines_of_one_width() -> None:
    from tests.documents import wrapped

    lines = [line for text in ARTICLES for line in wrapped("　　" + text.replace(" ", ""), 20, 0)]
    document = read_text("\n".join(lines))
    assert [block.text for block in document.blocks] == lines
    assert {block.kind for block in document.blocks} == {"line"}
    parted = read_text("\n\n".join("\n".join(wrapped(text.replace(" ", ""), 20, 0)) for text in ARTICLES))
    assert texts(parted) == [text.replace(" ", "") for text in ARTICLES]
    assert {block.kind for block in parted.blocks} == {"paragraph"}


def test_text_with_one_paragraph_a_line() -> None:
    document = read_text("\n".join(ARTICLES * 3))
    assert texts(document) == list(ARTICLES * 3)
    assert {block.kind for block in document.blocks} == {"paragraph"}


# ---------------------------------------------------------------- where documents are found


def test_a_folder_is_walked_in_order_and_one_sentence_names_what_is_skipped(tmp_path: Path) -> None:
    top = tmp_path / "资料"
    (top / "乙").mkdir(parents=True)
    (top / "甲.txt").write_text("甲")
    (top / "乙" / "丙.md").write_text("丙")
    for silent in (".DS_Store", "~$甲.docx", ".git"):
        (top / silent).write_text("x")
    for unknown in ("图.jpg", "程序.exe"):
        (top / unknown).write_text("x")
    first = found(top)
    assert [item.name if isinstance(item, Source) else str(item) for item in first] == [
        "资料/甲.txt", "资料/乙/丙.md", "资料：有2个文件不是可以读取的格式，已跳过（图.jpg、程序.exe）。",
    ]  # fmt: skip
    assert [str(item) for item in first] == [str(item) for item in found(top)]


def test_a_zip_with_names_in_gbk_and_a_zip_inside(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as package:
        package.writestr("丁.txt", "丁")
    path = tmp_path / "包.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("XX.txt", "甲")
        package.writestr("文件夹/乙.txt", "乙")
        package.writestr("里.zip", inner.getvalue())
        package.writestr("__MACOSX/._甲.txt", "x")
    # old programs wrote names in plain GBK, which Python never does
    path.write_bytes(path.read_bytes().replace(b"XX.txt", "甲.txt".encode("gbk")))
    items = found(path)
    assert all(isinstance(item, Source) for item in items), items
    assert {item.name: item.content.decode() for item in items if isinstance(item, Source)} == {
        "包.zip/甲.txt": "甲",
        "包.zip/文件夹/乙.txt": "乙",
        "包.zip/里.zip/丁.txt": "丁",
    }


def test_a_docx_called_zip_is_read_as_docx(tmp_path: Path) -> None:
    path = tmp_path / "甲.zip"
    make_docx(path, ["第一条　甲。"])
    assert texts(read_file(path)) == ["第一条　甲。"]


def test_files_are_read_only_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "甲.txt").write_text("甲")
    (tmp_path / "乙.txt").write_text("乙")
    walk = sources([tmp_path / "甲.txt", tmp_path / "乙.txt"], LIMITS)
    assert isinstance(next(walk), Source)
    (tmp_path / "乙.txt").unlink()
    assert str(next(walk)) == "乙.txt：找不到这个文件或文件夹；请检查路径。"


# ---------------------------------------------------------------- the process of its own


def test_reading_from_many_threads() -> None:
    results: list[RawDocument] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(read_text(f"第{n}条", f"{n}.txt")))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((document.name, document.blocks[0].text) for document in results) == [
        (f"{n}.txt", f"第{n}条") for n in range(4)
    ]


def test_too_little_time_gives_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "甲.pdf"
    make_pdf(path, ARTICLES * 2000)
    (source,) = found(path)
    assert isinstance(source, Source)
    began = time.monotonic()
    with pytest.raises(DocumentError, match=r"^甲.pdf：读了1秒还没有读完"):
        read(source, Limits(seconds=1))
    assert time.monotonic() - began < 60


@pytest.mark.skipif(sys.platform != "linux", reason="只有 Linux 限制内存")
def test_too_little_memory_gives_one_sentence() -> None:
    content = ("第一条　甲。\n" * 2_000_000).encode()
    with pytest.raises(DocumentError, match=r"^甲.txt：内容展开后太大"):
        read(Source("甲.txt", content), Limits(memory_bytes=160 * 2**20))


@pytest.mark.skipif(sys.platform != "linux", reason="只有 Linux 限制内存")
def test_a_process_that_breaks_down_gives_one_sentence() -> None:
    with pytest.raises(DocumentError, match=r"^甲.pdf：[^。]+。$"):
        read(Source("甲.pdf", b"%PDF-1.7 "), Limits(memory_bytes=1))


def test_the_process_can_reach_nothing(tmp_path: Path) -> None:
    """The watch that child.py sets, in a process of its own: network, programs and writing are refused."""
    import subprocess

    script = f"""
import socket, subprocess, os
from assistant.adapters.readers import child
child._forbid()
refused = 0
for attempt in (lambda: socket.create_connection(("127.0.0.1", 9)), lambda: subprocess.run(["true"]),
                lambda: open({str(tmp_path / "x")!r}, "w"), lambda: os.system("true"),
                lambda: socket.getaddrinfo("localhost", 1), lambda: os.remove({str(tmp_path)!r})):
    try:
        attempt()
    except PermissionError as error:
        refused += error.errno is None
print(refused, len(open(os.__file__).read()) > 0)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["6", "True"], result.stdout
    assert not (tmp_path / "x").exists()


# ---------------------------------------------------------------- real material, where it is at hand

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.mark.parametrize("folder", ["seeds", "official"])
def test_shared_material_comes_in_whole(folder: str) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"../shared/{folder} 不在这台机器上")
    for item in found(SHARED / folder):
        assert isinstance(item, Source), item
        document = read(item, LIMITS)
        assert not document.notices
        if document.format == "text":
            assert words(document.blocks) == "".join(item.content.decode("utf-8-sig").split())


def test_official_texts_say_the_same_from_every_format(tmp_path: Path) -> None:
    if not (SHARED / "official").is_dir():
        pytest.skip("../shared/official 不在这台机器上")
    for item in found(SHARED / "official"):
        assert isinstance(item, Source)
        if item.name.endswith("README.md"):
            continue
        paragraphs = texts(read(item, LIMITS))
        expected = "".join("".join(text.split()) for text in paragraphs)
        (tmp_path / "甲.txt").write_text("\n".join(paragraphs), "gb18030")
        make_docx(tmp_path / "甲.docx", paragraphs)
        make_html(tmp_path / "甲.html", paragraphs)
        make_pdf(tmp_path / "甲.pdf", paragraphs)
        for suffix in ("txt", "docx", "html", "pdf"):
            blocks = [
                block
                for block in read_file(tmp_path / f"甲.{suffix}").blocks
                if not block.text.startswith("— ")
            ]
            assert words(blocks) == expected, (item.name, suffix)
            if suffix != "pdf":
                assert [" ".join(block.text.split()) for block in blocks] == [
                    " ".join(t.split()) for t in paragraphs
                ]
