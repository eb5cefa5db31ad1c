"""A letter to an office as DOCX, laid out as official documents are (after GB/T 9704).

Comes in: text in the notation of :mod:`assistant.documents.official`. Goes out: the bytes of a DOCX. Raises
``DraftError`` as the notation does. The file says nothing of who made it, when and with what.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from assistant.documents.official import BLANK, LineKind, from_text

BODY = Pt(16)  # 三号
TITLE = Pt(22)  # 二号
PAGE_NUMBER = Pt(14)  # 四号
LINE, TITLE_LINE = Pt(28), Pt(35)
MARGINS = {
    "top_margin": Mm(37),
    "bottom_margin": Mm(35),
    "left_margin": Mm(28),
    "right_margin": Mm(26),
    "header_distance": Mm(15),
    "footer_distance": Mm(28),
}
LONGEST_TITLE = 255  # characters that the properties of a document may have
_LATIN = "Times New Roman"
# what stands in for a font that a computer does not have
_INSTEAD = {"方正小标宋简体": "宋体", "仿宋_GB2312": "仿宋", "楷体_GB2312": "楷体", "黑体": "SimHei"}


@dataclass(frozen=True)
class _Style:
    """How lines of a kind look; indents are counted in characters."""

    name: str
    font: str = "仿宋_GB2312"
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.JUSTIFY
    first: float = 0
    left: float = 0
    right: float = 0
    space: bool = False  # a line left free above
    stays: bool = False  # on the page of what follows


_STYLES: Mapping[LineKind, _Style] = {
    "title": _Style("Title", "方正小标宋简体", WD_ALIGN_PARAGRAPH.CENTER, stays=True),
    "heading": _Style("Heading 1", "黑体", first=2, stays=True),
    "subheading": _Style("Heading 2", "楷体_GB2312", first=2, stays=True),
    "body": _Style("正文段落", first=2),
    "addressee": _Style("主送", space=True),
    "attachments": _Style("附件", left=5, first=-3, space=True),
    "attachment": _Style("附件续", left=6, first=-1),
    "salute": _Style("敬礼"),
    "signature": _Style("落款", align=WD_ALIGN_PARAGRAPH.RIGHT, right=4, stays=True),
}
_KEPT_STYLES = ("Normal", "Heading 1", "Heading 2", "Title", "Footer", "Default Paragraph Font")


def to_docx(text: str) -> bytes:
    """The document as a file.

    Raises:
        DraftError: nothing in it, or more than a document holds.
    """
    lines = from_text(text)
    document = Document()
    _set_defaults(document)
    _set_page(document)
    for kind, style in _STYLES.items():
        _set_style(document, kind, style)
    ids = {kind: document.styles[style.name].style_id for kind, style in _STYLES.items()}
    before = ""
    for line in lines:
        paragraph = document.add_paragraph()
        paragraph._p.get_or_add_pPr().style = ids[line.kind]  # looking it up by name each time is slow
        if line.kind == "signature" and before != "signature":
            paragraph.paragraph_format.space_before = Pt(2 * LINE.pt)
        _write(paragraph, line.text)
        before = line.kind
    document.paragraphs[-1].paragraph_format.keep_with_next = False
    _strip_properties(document, lines[0].text)
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _write(paragraph: Paragraph, text: str) -> None:
    """The words of a line; what is to be filled in is marked yellow."""
    at = 0
    for match in BLANK.finditer(text):
        _run(paragraph, text[at : match.start()])
        _run(paragraph, match[0], blank=True)
        at = match.end()
    _run(paragraph, text[at:])


def _run(paragraph: Paragraph, text: str, blank: bool = False) -> None:
    if not text:
        return
    run = paragraph.add_run(text)
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:hint"), "eastAsia")  # “ ” … are Chinese here
    if blank:
        run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _set_style(document: Any, kind: LineKind, look: _Style) -> None:
    styles = document.styles
    if look.name not in styles:
        styles.add_style(look.name, WD_STYLE_TYPE.PARAGRAPH).base_style = styles["Normal"]
    style = styles[look.name]
    size = TITLE if kind == "title" else BODY
    _set_font(style, look.font, size)
    style.font.bold = kind == "title"
    form = style.paragraph_format
    form.alignment = look.align
    form.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    form.line_spacing = TITLE_LINE if kind == "title" else LINE
    form.space_before, form.space_after = LINE if look.space else Pt(0), Pt(0)
    form.keep_with_next = look.stays
    form.widow_control = False
    _indent(style, look, size)


def _indent(style: Any, look: _Style, size: Pt) -> None:
    """Indents by characters, and the same in points for programs that know no characters."""
    properties = style.element.get_or_add_pPr()
    indent = properties.get_or_add_ind()
    for name, characters in (("left", look.left), ("right", look.right), ("firstLine", look.first)):
        if characters < 0:
            name, characters = "hanging", -characters
        indent.set(qn(f"w:{name}Chars"), str(int(characters * 100)))
        indent.set(qn(f"w:{name}"), str(int(characters * size.pt * 20)))


def _set_font(style: Any, font: str, size: Pt) -> None:
    properties = style.element.get_or_add_rPr()
    for child in list(properties):
        properties.remove(child)  # colours and theme fonts of the template
    fonts = properties.get_or_add_rFonts()
    for name, value in (("ascii", _LATIN), ("hAnsi", _LATIN), ("eastAsia", font), ("cs", _LATIN)):
        fonts.set(qn(f"w:{name}"), value)
    style.font.size = size
    style.font.color.rgb = RGBColor(0, 0, 0)


def _set_defaults(document: Any) -> None:
    """Chinese as the language, the styles that are used, the fonts that may stand in, no marks of the template."""
    styles = document.styles
    for style in list(styles):
        if style.name not in _KEPT_STYLES and not style.element.get(qn("w:default")):
            style.element.getparent().remove(style.element)
    for style in styles:
        for link in style.element.findall(qn("w:link")):
            style.element.remove(link)  # to styles that are gone
        for part in style.element.findall(qn("w:pPr")):
            for border in part.findall(qn("w:pBdr")):
                part.remove(border)
    defaults = styles.element.find(qn("w:docDefaults"))
    defaults.getparent().replace(
        defaults,
        parse_xml(
            f"<w:docDefaults {nsdecls('w')}><w:rPrDefault><w:rPr>"
            f'<w:rFonts w:ascii="{_LATIN}" w:hAnsi="{_LATIN}" w:eastAsia="仿宋_GB2312" w:cs="{_LATIN}"/>'
            f'<w:sz w:val="{int(BODY.pt * 2)}"/><w:szCs w:val="{int(BODY.pt * 2)}"/>'
            '<w:lang w:val="zh-CN" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
            "</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
        ),
    )
    settings = document.settings.element
    settings.find(qn("w:themeFontLang")).set(qn("w:val"), "zh-CN")
    settings.find(qn("w:themeFontLang")).set(qn("w:eastAsia"), "zh-CN")
    for setting in settings.iter(qn("w:compatSetting")):
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")
    for name in ("w:rsids", "w:savePreviewPicture", "w:doNotAutoCompressPictures"):
        for element in settings.findall(qn(name)):
            settings.remove(element)
    _name_fonts(document)


def _name_fonts(document: Any) -> None:
    """Tell which font may stand in for one that is not installed."""
    rows = "".join(
        f'<w:font w:name="{font}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for font, other in _INSTEAD.items()
    )
    part = document.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)
    part._blob = re.sub(rb"</w:fonts>\s*$", rows.encode() + b"</w:fonts>", part.blob)


def _set_page(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for name, value in MARGINS.items():
        setattr(section, name, value)
    footer = section.footer
    footer.is_linked_to_previous = False
    _set_font(document.styles["Footer"], "宋体", PAGE_NUMBER)
    paragraph = footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run("— ")
    for kind, words in (("begin", ""), ("", " PAGE "), ("separate", ""), ("text", "1"), ("end", "")):
        run = paragraph.add_run(words if kind == "text" else "")
        if kind == "":
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = words
            run._r.append(code)
        elif kind != "text":
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
    paragraph.add_run(" —")


def _strip_properties(document: Any, title: str) -> None:
    """Only the title: no author, no time, no program, no picture of the template."""
    properties = document.core_properties
    for element in list(properties._element):
        properties._element.remove(element)
    properties.title = title[:LONGEST_TITLE]
    for owner, kinds in (
        (document.part.package, ("thumbnail", "extended-properties")),
        (document.part, ("customXml", "stylesWithEffects")),
    ):
        for id, relation in list(owner.rels.items()):
            if relation.reltype.rsplit("/", 1)[-1] in kinds:
                del owner.rels[id]
