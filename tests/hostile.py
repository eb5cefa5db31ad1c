"""Files that were made to do harm, or are broken in the ways files are. Each is built for real, none is large on disk.

``hostile_files`` gives each with the words that the one sentence about it must hold; ``""`` stands for a file that
may be read, because what is bad in it has no effect.
"""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.documents import make_docx, make_pdf

MIB = 2**20


def hostile_files(folder: Path) -> list[tuple[Path, str]]:
    """All of them, written into ``folder``."""
    made = []
    for name, (build, sentence) in HOSTILE.items():
        path = folder / name
        build(path)
        made.append((path, sentence))
    return made


def _pdf(objects: list[bytes]) -> bytes:
    """A PDF of numbered objects, the first of them the catalogue."""
    made = io.BytesIO(b"%PDF-1.7\n")
    made.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(made.tell())
        made.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = made.tell()
    made.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        made.write(b"%010d 00000 n \n" % place)
    made.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return made.getvalue()


def _stream(data: bytes, extra: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), extra, data)


def _one_page(contents: bytes, resources: bytes = b"<<>>", *more: bytes) -> bytes:
    return _pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources %s>>" % resources,
            contents,
            *more,
        ]
    )


def _deflated_zeros(size: int) -> bytes:
    packer = zlib.compressobj(9)
    zeros = bytes(MIB)
    return b"".join(packer.compress(zeros) for _ in range(size // MIB)) + packer.flush()


# ---------------------------------------------------------------- PDF


def broken_pdf(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\n" + random.Random(1).randbytes(4000))


def truncated_pdf(path: Path) -> None:
    make_pdf(path, ["第一条　试验人员应当按照规定记录。"] * 40)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])


def flate_bomb_pdf(path: Path) -> None:
    packed = zlib.compress(_deflated_zeros(256 * MIB), 9)  # packed twice, into some hundred bytes
    path.write_bytes(_one_page(_stream(packed, b"/Filter[/FlateDecode/FlateDecode]")))


def many_pages_pdf(path: Path) -> None:
    kids = b" ".join([b"3 0 R"] * 90_000)
    path.write_bytes(
        _pdf(
            [
                b"<</Type/Catalog/Pages 2 0 R>>",
                b"<</Type/Pages/Kids[%s]/Count 90000>>" % kids,
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
            ]
        )
    )


def recursive_pages_pdf(path: Path) -> None:
    path.write_bytes(_pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"]))


def recursive_form_pdf(path: Path) -> None:
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>"
    path.write_bytes(
        _one_page(_stream(b"/F Do " * 50), b"<</XObject<</F 5 0 R>>>>", _stream(b"/F Do " * 50, form))
    )


def endless_operators_pdf(path: Path) -> None:
    """Text operators without end: slow to read, small to store."""
    packed = zlib.compress(b"BT /F1 1 Tf (a) Tj ET " * 3_000_000, 9)
    font = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    path.write_bytes(_one_page(_stream(packed, b"/Filter/FlateDecode"), font))


def locked_pdf(path: Path) -> None:
    make_pdf(path, ["第一条　试验。"], password="secret")


def script_pdf(path: Path) -> None:
    """Code that runs when it is opened, and an address that is to be fetched."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>/AA<</O<</S/URI/URI(http://127.0.0.1:9/)>>>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources"
        b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        _stream(b"BT /F1 12 Tf 72 700 Td (plain words only) Tj ET"),
    ]
    path.write_bytes(_pdf(objects))


# ---------------------------------------------------------------- archives


def _zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)


def climbing_zip(path: Path) -> None:
    _zip(path, {"../../climbed.txt": "第一条".encode()})


def absolute_zip(path: Path) -> None:
    _zip(path, {"/var/absolute.txt": "第一条".encode()})


def drive_zip(path: Path) -> None:
    _zip(path, {"C:\\windows\\drive.txt": "第一条".encode()})


def bomb_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package, package.open("甲.txt", "w") as member:
        for _ in range(200):
            member.write(bytes(MIB))


def lying_zip(path: Path) -> None:
    """Its list says that the member is small; it is not."""
    bomb_zip(path)
    content = bytearray(path.read_bytes())
    header = content.rfind(b"PK\x01\x02")
    struct.pack_into("<L", content, header + 24, 10)
    path.write_bytes(content)


def many_members_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as package:
        for number in range(100_000):
            package.writestr(zipfile.ZipInfo(f"{number}.txt"), b"")


def nested_zip(path: Path) -> None:
    content = "第一条".encode()
    name = "甲.txt"
    for depth in range(12):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as package:
            package.writestr(name, content)
        content, name = made.getvalue(), f"{depth}.zip"
    path.write_bytes(content)


def quine_like_zip(path: Path) -> None:
    """Sixteen archives in each of sixteen archives in each of sixteen: few bytes, many files."""
    content, name = bytes(MIB), "甲.txt"
    for _ in range(3):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
            for number in range(16):
                package.writestr(f"{number}{name}", content)
        content, name = made.getvalue(), ".zip"
    path.write_bytes(content)


def locked_zip(path: Path) -> None:
    """Python cannot write locked archives; the mark that a member is locked is all that readers look at."""
    _zip(path, {"甲.txt": "第一条".encode()})
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        content[at + offset] |= 1
    path.write_bytes(content)


def broken_zip(path: Path) -> None:
    _zip(path, {"甲.txt": "第一条".encode() * 1000})
    content = path.read_bytes()
    path.write_bytes(content[:-30])


def damaged_member_zip(path: Path) -> None:
    _zip(path, {"甲.txt": random.Random(2).randbytes(3000)})
    content = bytearray(path.read_bytes())
    content[1500:1520] = bytes(20)
    path.write_bytes(content)


# ---------------------------------------------------------------- DOCX


def _docx_with(path: Path, part: str, content: bytes | Callable[[bytes], bytes]) -> None:
    made = io.BytesIO()
    make_docx(made, ["第一条　试验。"])
    with zipfile.ZipFile(made) as package, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in package.namelist():
            data = package.read(name)
            if name == part:
                data = content(data) if callable(content) else content
            changed.writestr(name, data)


_W = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def external_entity_docx(path: Path) -> None:
    _docx_with(
        path,
        "word/document.xml",
        b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document '
        + _W
        + b"><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>",
    )


def billion_laughs_docx(path: Path) -> None:
    entities = b'<!ENTITY a0 "haha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 10)
    )
    _docx_with(
        path,
        "word/document.xml",
        b'<?xml version="1.0"?><!DOCTYPE d ['
        + entities
        + b"]><w:document "
        + _W
        + b"><w:body><w:p><w:r><w:t>&a9;</w:t></w:r></w:p></w:body></w:document>",
    )


def laughs_in_utf16_docx(path: Path) -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE d [<!ENTITY a "haha">]><d>&a;</d>'
    _docx_with(path, "docProps/core.xml", text.encode("utf-16"))


def bomb_docx(path: Path) -> None:
    _docx_with(path, "word/document.xml", b"<w:document " + _W + b">" + b" " * (300 * MIB) + b"</w:document>")


def deep_docx(path: Path) -> None:
    def deep(_data: bytes) -> bytes:
        inside = b"<w:p><w:r><w:t>" + "第一条".encode() + b"</w:t></w:r></w:p>"
        opened, closed = b"<w:sdt><w:sdtContent>" * 5_000, b"</w:sdtContent></w:sdt>" * 5_000
        return b"<w:document " + _W + b"><w:body>" + opened + inside + closed + b"</w:body></w:document>"

    _docx_with(path, "word/document.xml", deep)


def truncated_docx(path: Path) -> None:
    make_docx(path, ["第一条　试验。"] * 50)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def bodiless_docx(path: Path) -> None:
    _zip(path, {"[Content_Types].xml": b"<Types/>", "word/styles.xml": b"<x/>"})


def remote_docx(path: Path) -> None:
    """A template and a picture on a server, as used to be told when somebody opens a file."""

    def remote(data: bytes) -> bytes:
        return data.replace(
            b"</Relationships>",
            b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            b'attachedTemplate" Target="http://127.0.0.1:9/t.dotm" TargetMode="External"/></Relationships>',
        )

    _docx_with(path, "word/_rels/document.xml.rels", remote)


# ---------------------------------------------------------------- HTML


def script_html(path: Path) -> None:
    path.write_text(
        "<html><head><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'><script>alert('脚本')</script></head>"
        "<body onload=alert(1)><p>第一条　试验。</p><iframe src=http://127.0.0.1:9/></iframe>"
        "<img src=x onerror=alert(2)><a href='javascript:alert(3)'>链接</a>"
        "<svg><script>alert(4)</script></svg></body></html>"
    )


def deep_html(path: Path) -> None:
    path.write_text("<html><body>" + "<div>" * 100_000 + "第一条" + "</div>" * 100_000)


def unclosed_html(path: Path) -> None:
    path.write_text("<html><body><!-- " + "<p" * 200_000 + "<table><tr><td>" * 20_000)


def comments_html(path: Path) -> None:
    path.write_text("<!---->" * 600 + "x")


def deep_markdown(path: Path) -> None:
    path.write_text("> " * 5_000 + "第一条\n\n" + "[" * 50_000 + "\n\n" + "*a **" * 20_000)


def laughing_front_matter(path: Path) -> None:
    lines = ["a0: &a0 [haha]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    path.write_text("---\n" + "\n".join(lines) + "\ntitle: *a9\n---\n第一条　试验。")


# ---------------------------------------------------------------- text and other bytes


def empty(path: Path) -> None:
    path.write_bytes(b"")


def blank(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf \r\n\t\r\n")


def binary(path: Path) -> None:
    path.write_bytes(random.Random(3).randbytes(20_000))


def null_bytes(path: Path) -> None:
    path.write_bytes("第一条\0".encode() * 500)


def program(path: Path) -> None:
    path.write_bytes(b"MZ\x90\0\x03\0\0\0" + random.Random(4).randbytes(2000))


def old_word(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))


def wrong_encoding(path: Path) -> None:
    path.write_bytes(b"".join(bytes((0x81 + number % 120, 0x20 + number % 16)) for number in range(4000)))


def long_line(path: Path) -> None:
    path.write_text("第一条　试验人员应当记录。" * 300_000)


def sparse(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(2 * 1024 * MIB)


def sparse_zip(path: Path) -> None:
    with open(path, "wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(2 * 1024 * MIB)


# ---------------------------------------------------------------- what is not a file


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "坏.pdf": (broken_pdf, "已损坏"),
    "断.pdf": (truncated_pdf, "已损坏"),
    "炸弹.pdf": (flate_bomb_pdf, "没有"),
    "九万页.pdf": (many_pages_pdf, "超过2000页"),
    "页套页.pdf": (recursive_pages_pdf, "PDF"),
    "图套图.pdf": (recursive_form_pdf, "没有"),
    "算不完.pdf": (endless_operators_pdf, "没有读"),
    "加密.pdf": (locked_pdf, "密码"),
    "带脚本.pdf": (script_pdf, ""),
    "程序.pdf": (program, "可执行程序"),
    "向上.zip": (climbing_zip, "压缩包以外"),
    "绝对.zip": (absolute_zip, "压缩包以外"),
    "盘符.zip": (drive_zip, "压缩包以外"),
    "炸弹.zip": (bomb_zip, "压缩炸弹"),
    "谎报.zip": (lying_zip, "没有读取"),
    "十万个.zip": (many_members_zip, "超过2000个"),
    "十二层.zip": (nested_zip, "套了超过3层"),
    "十六套十六.zip": (quine_like_zip, "超过"),
    "加密.zip": (locked_zip, "密码"),
    "断.zip": (broken_zip, "已损坏"),
    "坏成员.zip": (damaged_member_zip, "已损坏"),
    "外部实体.docx": (external_entity_docx, "外部实体"),
    "十亿笑.docx": (billion_laughs_docx, "外部实体"),
    "另一种编码的实体.docx": (laughs_in_utf16_docx, "外部实体"),
    "炸弹.docx": (bomb_docx, "压缩炸弹"),
    "很深.docx": (deep_docx, "DOCX"),
    "断.docx": (truncated_docx, "损坏"),
    "没有正文.docx": (bodiless_docx, "DOCX"),
    "远程模板.docx": (remote_docx, ""),
    "带脚本.html": (script_html, ""),
    "十万层.html": (deep_html, "嵌套"),
    "不闭合.html": (unclosed_html, "没有可以读取的文字"),
    "全是注释.html": (comments_html, ""),
    "很深.md": (deep_markdown, ""),
    "开头会笑.md": (laughing_front_matter, ""),
    "空.txt": (empty, "空的"),
    "空白.txt": (blank, "空的"),
    "二进制.txt": (binary, "不是可以读取的文档"),
    "夹零.txt": (null_bytes, "不是可以读取的文档"),
    "旧版.doc": (old_word, "另存为 DOCX"),
    "乱码.txt": (wrong_encoding, "编码"),
    "一行.txt": (long_line, ""),
    "稀疏.txt": (sparse, "超过 50 MB"),
    "稀疏.zip": (sparse_zip, "已损坏"),
    "管道.txt": (pipe, "不是普通文件"),
    "自指.txt": (loop, "打不开"),
}
