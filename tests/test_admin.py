"""Signing in and the administrator's pages as people use them: a real server, a real browser, no network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page

from assistant.law.corpus import Corpus
from assistant.records.feedback import Feedback
from assistant.settings import Settings, load_settings
from assistant.web import server
from assistant.web.gate import Visitor
from assistant.web.links import site_links
from assistant.web.registry import Registry
from assistant.wiring import Office, Parts
from tests.browser import axe, free_port
from tests.injections import INJECTIONS
from tests.test_gate import PAGE, PASSWORD, site, token_in

SCENARIO = "群里没有及时回复消息，被镇党委通报问责，当时在村里入户。"
CLAUSE = "ccp-accountability-2019#7"


def registry_of(app: FastAPI) -> Registry:
    kept: Registry = app.state.registry
    return kept


@pytest.fixture
def office(corpus: Corpus, tmp_path: Path) -> Iterator[tuple[str, Registry]]:
    """A site with an administrator, a trainer and a user, all with the same password."""
    settings = load_settings(data=tmp_path, port=free_port(), accounts=True, max_failures=2)
    app = site(corpus, settings)
    served = server.launch(app, settings)
    accounts = registry_of(app).accounts
    accounts.create_first("林知远", PASSWORD)
    accounts.create("周明", PASSWORD, "trainer")
    accounts.create("王小丽", PASSWORD, "user")
    yield served.address, registry_of(app)
    served.close()


@pytest.fixture
def alone(corpus: Corpus, tmp_path: Path) -> Iterator[tuple[str, Registry]]:
    """A site without accounts."""
    settings = load_settings(data=tmp_path, port=free_port())
    app = site(corpus, settings)
    served = server.launch(app, settings)
    yield served.address, registry_of(app)
    served.close()


def sign_in(
    page: Page, address: str, name: str = "林知远", password: str = PASSWORD, to: str = "/account"
) -> None:
    page.goto(address + to)
    assert "/signin" in page.url
    page.fill("#name", name)
    page.fill("#password", password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_load_state()


def feedback(right: bool = False, scenario: str = SCENARIO, reason: str = "事情没有这么严重") -> Feedback:
    clauses = (CLAUSE,)
    return Feedback(datetime.now(UTC), right, reason, CLAUSE, scenario, "in", clauses, date(2026, 3, 20))


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


# ---------------------------------------------------------------- signing in


def test_signing_in_leads_where_one_wanted_to_go_and_out_again(
    page: Page, office: tuple[str, Registry], requests: list[str]
) -> None:
    address, registry = office
    sign_in(page, address, to="/admin/log")
    assert page.url == f"{address}/admin/log"
    assert "林知远" in page.inner_text("tbody")
    page.get_by_role("button", name="退出").click()
    page.get_by_text("已经退出。").wait_for()
    page.goto(f"{address}/admin/log")
    assert "/signin" in page.url
    assert "没有操作" not in page.inner_text("main")
    page.go_back()
    assert page.locator("tbody").count() == 0  # nothing of it was kept by the browser
    assert [e.what for e in registry.audit.listed()][:2] == ["退出登录", "登录"]
    assert [url for url in requests if not url.startswith(address)] == []


def test_a_wrong_password_and_a_wrong_name_are_told_alike_and_then_locked(
    page: Page, office: tuple[str, Registry]
) -> None:
    address, registry = office
    told = []
    for name in ("王小丽", "没有这个人"):
        for password in ("不对的密码一", "不对的密码二", PASSWORD):
            sign_in(page, address, name, password)
            told.append(page.inner_text("#problem"))
            assert page.evaluate("document.activeElement.id") == "problem"
            assert page.get_attribute("#password", "aria-describedby") == "problem"
            assert page.get_attribute("#password", "aria-invalid") == "true"
            assert (page.input_value("#name"), page.input_value("#password")) == (name, "")
    assert told[:3] == told[3:]
    assert told[0] == "账号或密码不对，请检查后再试。"
    assert "锁定" in told[1]
    assert "锁定" in told[2]
    sign_in(page, address, to="/admin/users")
    page.get_by_role("button", name="解锁 王小丽").click()
    page.get_by_text("已经解锁").wait_for()
    page.get_by_role("button", name="退出").click()
    sign_in(page, address, "王小丽")
    assert "王小丽" in page.inner_text("main")
    assert "没有这个人" not in str(registry.audit.listed())


def test_after_some_time_one_signs_in_again(page: Page, corpus: Corpus, tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, port=free_port(), accounts=True, session_hours=3 / 3600)
    app = site(corpus, settings)
    served = server.launch(app, settings)
    try:
        registry_of(app).accounts.create_first("林知远", PASSWORD)
        sign_in(page, served.address)
        page.wait_for_timeout(3500)
        page.goto(f"{served.address}/account")
        assert page.inner_text(".said") == "太久没有操作，请重新登录。"
        page.fill("#name", "林知远")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{served.address}/account")
    finally:
        served.close()


def test_the_first_administrator_is_made_with_the_code_of_the_terminal(
    page: Page, corpus: Corpus, tmp_path: Path
) -> None:
    settings = load_settings(data=tmp_path, port=free_port(), accounts=True)
    app = site(corpus, settings)
    served = server.launch(app, settings)
    try:
        page.goto(served.address)
        assert page.url == f"{served.address}/setup"

        def fill(code: str, password: str, again: str) -> str:
            for id, words in (("code", code), ("name", "林知远"), ("password", password), ("again", again)):
                page.fill(f"#{id}", words)
            page.get_by_role("button", name="建立管理员账号").click()
            page.wait_for_load_state()
            return page.inner_text("#problem") if page.locator("#problem").count() else ""

        code: str = app.state.code
        assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", code)
        assert "代码不对" in fill("ABCD-EFGH-JKMN", PASSWORD, PASSWORD)
        assert page.evaluate("document.activeElement.id") == "problem"
        assert "不一样" in fill(code, PASSWORD, PASSWORD + "x")
        assert "10 个字符" in fill(code, "短", "短")
        assert fill(code.lower().replace("-", " "), PASSWORD, PASSWORD) == ""
        page.wait_for_url(f"{served.address}/")
        (made,) = registry_of(app).accounts.listed()
        assert (made.name, made.role) == ("林知远", "administrator")
        late = httpx.Client(base_url=served.address)
        assert late.get("/setup", headers=PAGE).headers["location"] == "/signin"
        token = token_in(late.get("/signin", headers=PAGE).text)
        sent = {"token": token, "code": code, "name": "别人", "password": PASSWORD, "again": PASSWORD}
        assert late.post("/setup", data=sent).status_code == 403
        assert len(registry_of(app).accounts.listed()) == 1
    finally:
        served.close()


def test_ones_own_password_is_changed(page: Page, office: tuple[str, Registry]) -> None:
    address, registry = office
    elsewhere = registry.accounts.sign_in("王小丽", PASSWORD)
    sign_in(page, address, "王小丽")

    def change(old: str, new: str, again: str) -> str:
        for id, words in (("old", old), ("new", new), ("again", again)):
            page.fill(f"#{id}", words)
        page.get_by_role("button", name="改密码").click()
        page.wait_for_load_state()
        return page.inner_text("#problem, .said")

    assert "不一样" in change(PASSWORD, "水车与石碾 五月初一", "水车")
    assert "不对" in change("不是这个密码", "水车与石碾 五月初一", "水车与石碾 五月初一")
    assert "已经改好" in change(PASSWORD, "水车与石碾 五月初一", "水车与石碾 五月初一")
    assert registry.accounts.who(elsewhere) is None
    page.goto(f"{address}/account")
    assert "/signin" not in page.url
    assert registry.accounts.sign_in("王小丽", "水车与石碾 五月初一")


def test_by_keyboard_alone(page: Page, office: tuple[str, Registry]) -> None:
    address, _ = office
    page.goto(f"{address}/admin/feedback")
    assert page.evaluate("document.activeElement.id") == "name"
    page.keyboard.type("林知远")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "登录"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/admin/feedback")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    labels = []
    for _ in range(9):
        page.keyboard.press("Tab")
        labels.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert labels[:5] == ["问答", "知识库", "管理", "我的账号", "退出"]
    assert labels[5:8] == ["账号", "反馈", "登录和变动"]


# ---------------------------------------------------------------- roles


def test_each_role_sees_and_gets_what_is_its_own(office: tuple[str, Registry]) -> None:
    address, registry = office
    registry.feedback.add(feedback())
    reading = ["/admin", "/admin/users", "/admin/feedback", "/admin/feedback.jsonl", "/admin/log"]
    doing = [
        "/admin/users", "/admin/users/3/role", "/admin/users/3/active", "/admin/users/3/password",
        "/admin/users/3/unlock", "/admin/feedback/1/review", "/admin/feedback/1/remove",
    ]  # fmt: skip
    allowed = {"王小丽": set(), "周明": {"/admin", "/admin/feedback", "/admin/feedback.jsonl"}}
    for name, open_to_it in allowed.items():
        with httpx.Client(base_url=address) as client:
            token = token_in(client.get("/signin", headers=PAGE).text)
            client.post("/signin", data={"token": token, "name": name, "password": PASSWORD})
            own = client.get("/account", headers=PAGE).text
            assert ("管理</a>" in own) == bool(open_to_it)
            for path in reading:
                said = client.get(path, headers=PAGE)
                assert said.status_code == (
                    403 if path not in open_to_it else 303 if path == "/admin" else 200
                )
                if path not in open_to_it:
                    assert "请找管理员" in said.text
            for path in doing:
                sent = {"token": token_in(own), "role": "administrator", "password": PASSWORD, "name": "新人"}
                assert client.post(path, data=sent).status_code == 403, path
    assert [a.role for a in registry.accounts.listed()] == ["administrator", "trainer", "user"]
    assert not registry.feedback.listed()[0].reviewed


def test_a_user_reads_the_knowledge_base_and_changes_nothing(
    page: Page, parts: Parts, settings: Settings, tmp_path: Path
) -> None:
    here = settings.model_copy(update={
        "port": free_port(), "accounts": True, "records_url": type(settings.records_url)(f"sqlite:///{tmp_path}/r.db"),
    })  # fmt: skip
    brought = Office(here)
    app = server.build_app(brought, brought, here, (), brought)
    served = server.launch(app, here)
    accounts = registry_of(app).accounts
    accounts.create_first("林知远", PASSWORD)
    accounts.create("王小丽", PASSWORD, "user")
    try:
        sign_in(page, served.address, "王小丽", to="/knowledge")
        page.wait_for_selector(".z-docs")
        assert not page.locator("#z-taking form").is_visible()
        page.get_by_role("tab", name="收录情况").click()
        page.wait_for_selector(".z-figures")
        assert page.locator("#z-anew").count() == 0 or not page.locator("#z-anew").is_visible()
        (cookie,) = [f"{c['name']}={c['value']}" for c in page.context.cookies()]
        with httpx.Client(base_url=served.address, headers={"cookie": cookie}, timeout=60) as client:
            assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 403
            deeds = client.get("/config").json()["dependencies"]
            wanted = {"take_in": 3, "read_again": 3, "remove": 3, "correct": 11}
            for deed, count in wanted.items():
                (number,) = [
                    d["id"] for d in deeds if d["api_name"].startswith(deed) and len(d["inputs"]) == count
                ]
                sent = {"data": [None] * count, "fn_index": number, "event_data": {"files": []}}
                joined = client.post("/gradio_api/queue/join", json={**sent, "session_hash": deed})
                assert joined.status_code == 200
                told = client.get(f"/gradio_api/queue/data?session_hash={deed}").text
                assert "您的账号只能查阅知识库" in told, told
        assert not [e for e in registry_of(app).audit.listed() if e.what.startswith("知识库")]
        page.goto(f"{served.address}/account")
        page.get_by_role("button", name="退出").click()
        sign_in(page, served.address, to="/knowledge")
        page.locator("#z-taking form").wait_for()
    finally:
        served.close()


def test_the_links_of_each_role(office: tuple[str, Registry]) -> None:
    accounts = {a.role: a for a in office[1].accounts.listed()}
    labels = {
        role: [label for _, label, _ in site_links(Visitor("user:1", a, True), "chat")]
        for role, a in accounts.items()
    }
    assert labels["administrator"] == labels["trainer"] == ["问答", "知识库", "管理", "我的账号", "退出"]
    assert labels["user"] == ["问答", "知识库", "我的账号", "退出"]
    assert site_links(Visitor("", None, True)) == []


# ---------------------------------------------------------------- administration


def test_accounts_are_managed(page: Page, office: tuple[str, Registry]) -> None:
    address, registry = office
    sign_in(page, address, to="/admin/users")

    def row(name: str) -> str:
        return page.locator(".card", has=page.get_by_role("heading", name=name)).inner_text()

    page.fill("#name", "陈一鸣")
    page.fill("#password", PASSWORD)
    page.select_option("#role", "trainer")
    page.get_by_role("button", name="开账号").click()
    page.get_by_text("账号已经开好").wait_for()
    assert "培训员" in row("陈一鸣")
    page.fill("#name", "陈一鸣")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="开账号").click()
    page.get_by_text("已经有叫“陈一鸣”的账号").wait_for()
    assert page.evaluate("document.activeElement.id") == "problem"

    page.get_by_label("陈一鸣 的角色", exact=True).select_option("user")
    page.get_by_role("button", name="改角色：陈一鸣").click()
    page.get_by_text("角色已经改好").wait_for()
    session = registry.accounts.sign_in("陈一鸣", PASSWORD)
    page.get_by_role("button", name="停用 陈一鸣").click()
    page.get_by_text("账号已经停用").wait_for()
    assert registry.accounts.who(session) is None
    assert "已停用" in row("陈一鸣")
    page.get_by_role("button", name="启用 陈一鸣").click()
    page.get_by_text("账号已经启用").wait_for()
    page.locator(".card", has=page.get_by_role("heading", name="陈一鸣")).get_by_text("重设密码").click()
    page.get_by_label("给 陈一鸣 的新密码").fill("水车与石碾 五月初一")
    page.get_by_role("button", name="重设：陈一鸣").click()
    page.get_by_text("密码已经重设").wait_for()
    assert registry.accounts.sign_in("陈一鸣", "水车与石碾 五月初一")

    page.get_by_role("button", name="停用 林知远").click()
    page.get_by_text("最后一个管理员").wait_for()
    page.goto(f"{address}/admin/log")
    log = page.inner_text("tbody")
    for deed in ("新建账号（培训员）", "改为用户", "停用账号", "启用账号", "重设密码"):
        assert re.search(rf"林知远\s+{deed}\s+陈一鸣", log), deed


def test_feedback_is_seen_handled_exported_and_deleted(page: Page, office: tuple[str, Registry]) -> None:
    address, registry = office
    for one in (feedback(), feedback(right=True, scenario="")):
        registry.feedback.add(one)
    sign_in(page, address, to="/admin/feedback")
    assert page.locator(".card").count() == 2
    card = page.locator(".card", has_text="第 1 条")
    shown = card.inner_text()
    for words in (SCENARIO, "不准确", "属于问责范围", "事情没有这么严重", "2026-03-20"):
        assert words in shown
    card.get_by_text("处理", exact=True).click()
    card.get_by_label("正确的结论").select_option("out_general_work")
    card.get_by_label("处理意见").fill("已核对\n加入评测")
    card.get_by_role("button", name="处理好了").click()
    page.get_by_text("已经处理。").wait_for()
    assert page.locator(".card").count() == 1
    page.get_by_role("link", name="已处理").click()
    page.wait_for_url("**state=done")
    assert "属一般工作问题" in page.inner_text(".card")
    assert "已核对" in page.inner_text(".card")
    with page.expect_download() as download:
        page.get_by_role("link", name="导出评测题（1 行）").click()
    rows = [json.loads(line) for line in Path(download.value.path()).read_text(encoding="utf-8").splitlines()]
    assert [(r["scenario"], r["scope"], r["clauses"]) for r in rows] == [
        (SCENARIO, "out_general_work", [CLAUSE])
    ]
    page.get_by_role("button", name="放回未处理").click()
    page.get_by_text("放回未处理。").wait_for()
    assert registry.feedback.evaluation_rows() == []
    page.goto(f"{address}/admin/feedback")
    page.locator(".card", has_text="第 1 条").get_by_text("删除", exact=True).click()
    page.get_by_role("button", name="确定删除第 1 条").click()
    page.get_by_text("已经删除").wait_for()
    assert [f.id for f in registry.feedback.listed()] == [2]
    done = [(e.what, e.about) for e in registry.audit.listed() if "反馈" in e.what]
    assert done == [
        ("删除反馈", "第 1 条"), ("把反馈放回未处理", "第 1 条"), ("导出反馈", "1 行"), ("处理反馈", "第 1 条"),
    ]  # fmt: skip
    assert SCENARIO not in str(registry.audit.listed())


def test_without_accounts_the_person_at_the_machine_administers(
    page: Page, alone: tuple[str, Registry]
) -> None:
    address, registry = alone
    registry.feedback.add(feedback())
    page.goto(f"{address}/admin")
    assert SCENARIO in page.inner_text(".card")
    page.locator(".card").get_by_text("处理", exact=True).click()
    page.get_by_role("button", name="处理好了").click()
    page.get_by_text("已经处理。").wait_for()
    page.get_by_role("link", name="登录和变动").click()
    page.locator("tbody", has_text="本机").wait_for()
    page.get_by_role("link", name="账号", exact=True).click()
    page.get_by_text("ZEMING_ACCOUNTS=true").wait_for()
    assert page.locator("main form").count() == 0
    assert page.get_by_role("button", name="退出").count() == 0


def test_what_people_write_stays_text(page: Page, office: tuple[str, Registry], requests: list[str]) -> None:
    address, registry = office
    texts = [text for text in INJECTIONS if text.isprintable()][:40]  # as names and lines of a log can be
    assert len(texts) == 40
    for text in texts:
        registry.feedback.add(
            Feedback(datetime.now(UTC), False, text, text, text, text, (text,), date(2026, 3, 20), note=text)
        )
        registry.audit.note(text, text, text)
        if len(text) <= 32:
            registry.accounts.create(text, PASSWORD, "user")
    sign_in(page, address, to="/admin/feedback")
    assert page.locator(".card").count() == len(texts)
    for path in (
        "/admin/feedback",
        "/admin/users",
        "/admin/log",
        f"/signin?next={texts[0]}&why={texts[1]}",
    ):
        page.goto(address + path)
        page.wait_for_timeout(100)
        assert page.evaluate("window.hurt") is None
        for tag in ("script", "img", "iframe", "svg", "[onerror]", "[onload]", "style", "b"):
            assert page.locator("main").locator(tag).count() == 0, tag
        links = page.locator("a").evaluate_all("a => a.map(x => x.getAttribute('href'))")
        assert all(href.startswith(("/", "#")) for href in links)
    page.goto(f"{address}/admin/log")
    written = page.inner_text("tbody")
    assert all(" ".join(text.split()) in written for text in texts)
    page.get_by_role("button", name="退出").click()
    for text in texts[:3]:
        page.fill("#name", text)
        page.fill("#password", "x")
        page.keyboard.press("Enter")
        page.locator("#problem").wait_for()
        assert page.input_value("#name") == text.strip()
    assert page.evaluate("window.hurt") is None
    assert [url for url in requests if not url.startswith(address)] == []


# ---------------------------------------------------------------- for everybody


def test_every_page_can_be_used_by_everybody(
    browser: Browser, office: tuple[str, Registry], corpus: Corpus, tmp_path: Path
) -> None:
    address, registry = office
    registry.feedback.add(feedback())
    registry.feedback.add(feedback(scenario="很长的话" * 100, reason="x" * 300))
    registry.accounts.set_active(3, False)
    begin = load_settings(data=tmp_path / "new", port=free_port(), accounts=True)
    new = server.launch(site(corpus, begin), begin)
    context = browser.new_context(locale="zh-CN", reduced_motion="reduce")
    context.set_default_timeout(60_000)
    page = context.new_page()
    papers = {"light": "rgb(250, 249, 246)", "dark": "rgb(22, 25, 27)"}

    def look(name: str) -> None:
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            for scheme, paper in papers.items():
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                page.wait_for_function(
                    "paper => getComputedStyle(document.body).backgroundColor === paper", arg=paper
                )
                assert axe(page) == [], (name, width, scheme)

    try:
        page.goto(f"{new.address}/setup")
        look("setup")
        sign_in(page, address, password="不对的密码")
        look("signin")
        sign_in(page, address)
        for path in ("/account", "/signout", "/admin/users", "/admin/feedback", "/admin/log"):
            page.goto(address + path)
            for fold in page.locator("summary").all():
                fold.click()
            look(path)
    finally:
        context.close()
        new.close()
