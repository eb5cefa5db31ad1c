"""Makes real documents for tests: PDF as offices print it, scanned PDF, DOCX, HTML. Nothing is read from disk but a
font for the scan, where the machine has one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

FONT = "STSong-Light"  # of every PDF reader; no font file is needed
_NO_LINE_BEGINS_WITH = "，。、；：？！”’）》】"
_CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/simsun.ttc",
)


class Centred(str):
    """A paragraph that stands in the middle of its line, such as a title or 第一章　总则."""


class Rows(tuple[tuple[str, ...], ...]):
    """A table."""


def wrapped(paragraph: str, columns: float, indent: int = 2) -> list[str]:
    """A paragraph broken at a width counted in Chinese characters, without its indent."""
    lines, line, used = [], "", float(indent)
    for char in paragraph:
        wide = 0.5 if ord(char) < 0x2000 else 1.0
        if used + wide > columns and char not in _NO_LINE_BEGINS_WITH:
            lines.append(line)
            line, used = "", 0.0
        line, used = line + char, used + wide
    return [*lines, line]


def make_pdf(
    path: Path | io.BytesIO,
    paragraphs: Sequence[str],
    *,
    title: str = "",
    author: str = "",
    header: str = "",
    footer: str = "— {page} —",
    columns: int = 28,
    lines_on_page: int = 22,
    indent: int = 2,
    password: str | None = None,
    owner_password: str | None = None,
    edges_first: bool = False,
) -> int:
    """A PDF such as offices publish: long paragraphs broken at the width of the page and over pages, a number at the
    foot of every page. Gives the number of pages. ``edges_first`` draws head and foot before the text."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    encryption = None
    if password is not None or owner_password is not None:
        from reportlab.lib.pdfencrypt import StandardEncryption

        encryption = StandardEncryption(password or "", owner_password or password, strength=128)
    canvas = Canvas(
        str(path) if isinstance(path, Path) else path, pagesize=A4, encrypt=encryption, invariant=True
    )
    canvas.setTitle(title or None)
    canvas.setAuthor(author or None)
    size, leading = 15.5, 28.0
    left, top = 80.0, A4[1] - 105

    printed: list[tuple[float, str]] = []  # x, text
    for paragraph in paragraphs:
        if isinstance(paragraph, Centred):
            for line in wrapped(paragraph, columns, 0):
                width = pdfmetrics.stringWidth(line, FONT, size)
                printed.append((left + (columns * size - width) / 2, line))
            continue
        for number, line in enumerate(wrapped(paragraph, columns, indent)):
            printed.append((left + (0 if number else indent * size), line))

    def edges(page: int) -> None:
        canvas.setFont(FONT, 10.5)
        if header:
            canvas.drawCentredString(A4[0] / 2, A4[1] - 60, header)
        if footer:
            canvas.drawCentredString(A4[0] / 2, 50, footer.format(page=page))

    pages = [printed[at : at + lines_on_page] for at in range(0, len(printed), lines_on_page)] or [[]]
    for number, lines in enumerate(pages, 1):
        if edges_first:
            edges(number)
        canvas.setFont(FONT, size)
        for row, (x, line) in enumerate(lines):
            canvas.drawString(x, top - row * leading, line)
        if not edges_first:
            edges(number)
        canvas.showPage()
    canvas.save()
    return len(pages)


def cjk_font() -> str | None:
    """A font file with Chinese characters, where the machine has one."""
    return next((font for font in _CJK_FONTS if Path(font).exists()), None)


def make_scanned_pdf(path: Path, pages: Sequence[Sequence[str]], font: str, text_page: str = "") -> None:
    """A PDF whose pages are pictures of lines; a last page with real text where ``text_page`` is given."""
    from PIL import Image, ImageDraw, ImageFont
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    letters = ImageFont.truetype(font, 36)
    for lines in pages:
        picture = Image.new("L", (1240, 1754), 255)
        draw = ImageDraw.Draw(picture)
        for row, line in enumerate(lines):
            draw.text((150, 160 + row * 70), line, fill=0, font=letters)
        canvas.drawImage(ImageReader(picture), 0, 0, *A4)
        canvas.showPage()
    if text_page:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        canvas.setFont(FONT, 16)
        canvas.drawString(80, 700, text_page)
        canvas.showPage()
    canvas.save()


def make_docx(
    path: Path | io.BytesIO,
    paragraphs: Sequence[str | Rows],
    *,
    title: str = "",
    author: str = "",
    headings: Sequence[str] = (),
) -> None:
    """A DOCX of paragraphs and tables; those that stand in ``headings`` get the style 标题 1."""
    import docx

    document = docx.Document()
    document.core_properties.title = title
    document.core_properties.author = author
    for paragraph in paragraphs:
        if isinstance(paragraph, Rows):
            table = document.add_table(len(paragraph), max(map(len, paragraph)))
            for row, cells in enumerate(paragraph):
                for column, cell in enumerate(cells):
                    table.cell(row, column).text = cell
        else:
            document.add_paragraph(paragraph, "Heading 1" if paragraph in headings else None)
    document.save(str(path) if isinstance(path, Path) else path)


def make_html(
    path: Path,
    paragraphs: Sequence[str],
    *,
    title: str = "",
    headings: Sequence[str] = (),
    encoding: str = "utf-8",
    site: str = "试验网",
) -> None:
    """A page of a government site: menus and a foot around the text, the text in paragraphs."""
    body = "\n".join(
        f"<h2>{words}</h2>" if words in headings else f"<p>　　{words}</p>" for words in paragraphs
    )
    page = f"""<!DOCTYPE html><html><head><meta charset="{encoding}"><title>{title}_{site}</title>
    <script>var 广告 = "脚本里的字";</script><style>p {{ color: red }}</style></head>
    <body><div class="header"><ul><li><a href="/">首页</a></li><li><a href="/x">政策法规</a></li></ul></div>
    <div class="location">当前位置：<a href="/">首页</a> &gt; 法规</div>
    <div class="content"><h1>{title}</h1><div class="info">发布时间：2024-03-05 10:20　来源：{site}</div>
    <div id="text">{body}</div></div>
    <div class="related"><a href="/1">相关阅读一</a><a href="/2">相关阅读二</a></div>
    <div class="footer">版权所有：{site}　网站标识码 000000</div></body></html>"""
    path.write_bytes(page.encode(encoding))
