"""The gate before all pages: who comes in, who does not, and what leaves with every answer. A real server."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from fastapi import FastAPI

from assistant.errors import QuestionError, SettingsError
from assistant.law.corpus import Corpus
from assistant.model import Advice, Question
from assistant.records.conversations import Kept
from assistant.records.feedback import Feedback
from assistant.records.store import open_store
from assistant.settings import Settings, load_settings
from assistant.web import server
from assistant.web.gate import Pace, own_path
from assistant.web.registry import Registry
from tests.browser import free_port

PAGE = {"accept": "text/html"}
PASSWORD = "青石磨盘与油菜花 三月"


class Silent:
    """Nobody asks anything here."""

    def ask(self, question: Question, on_stage: Any = None) -> Advice:
        raise AssertionError(question.day)


def site(corpus: Corpus, settings: Settings) -> FastAPI:
    return server.build_app(Silent(), corpus, settings, ())


@pytest.fixture(scope="module")
def office(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FastAPI]]:
    """A site with accounts, and an administrator called 林知远."""
    settings = load_settings(
        data=tmp_path_factory.mktemp("office"), port=free_port(), accounts=True, max_failures=100
    )
    app = site(corpus, settings)
    served = server.launch(app, settings)
    app.state.registry.accounts.create_first("林知远", PASSWORD)
    app.state.registry.accounts.create("小周", PASSWORD, "user")
    yield served.address, app
    served.close()


@pytest.fixture(scope="module")
def alone(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site without accounts."""
    settings = load_settings(
        data=tmp_path_factory.mktemp("alone"), port=free_port(), site_names="zeming.lan, zeming"
    )
    served = server.launch(site(corpus, settings), settings)
    yield served.address
    served.close()


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


@contextmanager
def signed_in(address: str, name: str = "林知远") -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as client:
        form = client.get("/signin", headers=PAGE).text
        sent = {"token": token_in(form), "name": name, "password": PASSWORD, "next": "/config"}
        answer = client.post("/signin", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/config")
        yield client


# ---------------------------------------------------------------- who comes in


@pytest.mark.parametrize(
    "path",
    [
        "/", "/knowledge", "/config", "/theme.css", "/admin", "/admin/users", "/admin/feedback.jsonl", "/account",
        "/gradio_api/info", "/gradio_api/config", "/gradio_api/openapi.json", "/gradio_api/heartbeat/abc",
        "/gradio_api/queue/data?session_hash=abc", "/gradio_api/queue/status", "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/x", "/gradio_api/call/x/y", "/gradio_api/upload_progress?upload_id=x", "/gradio_api/runs",
        "/gradio_api/startup-events", "/gradio_api/app_id", "/gradio_api/stream/a/b/c/playlist.m3u8",
        "/gradio_api/deep_link", "/gradio_api/proxy=http://x", "/assets/index.js", "/robots.txt", "/monitoring",
        "/static", "/signin/../config", "/%2e%2e/config", "//config", "/signup", "/docs", "/openapi.json",
    ],
)  # fmt: skip
def test_without_a_session_nothing_is_read(office: tuple[str, FastAPI], path: str) -> None:
    with httpx.Client(base_url=office[0]) as client:
        said = client.get(path)
        assert (said.status_code, said.json()["error"]) == (401, "请先登录。")
        page = client.get(path, headers=PAGE)
        assert page.status_code == 303
        assert page.headers["location"].startswith("/signin?next=/")


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/api/predict", "/gradio_api/call/x",
        "/gradio_api/upload", "/gradio_api/component_server", "/gradio_api/reset", "/gradio_api/cancel",
        "/gradio_api/process_recording", "/login", "/traditional", "/signout", "/account", "/admin/users",
        "/gradio_api/stream/x",
    ],
)  # fmt: skip
def test_without_a_session_nothing_is_done(office: tuple[str, FastAPI], path: str) -> None:
    said = httpx.post(office[0] + path, json={})
    assert (said.status_code, said.json()["detail"]) == (401, "请先登录。")


def test_an_invented_session_opens_nothing(office: tuple[str, FastAPI]) -> None:
    port = office[0].rsplit(":", 1)[1]
    for value in ("visit." + "a" * 40, "a" * 43, "", "x;y", "%00" * 20, "中" * 20):
        cookie = {"cookie": f"zeming-{port}={value}".encode()}
        assert httpx.get(f"{office[0]}/config", headers=cookie).status_code == 401


def test_with_a_session_all_is_there_until_it_is_signed_out(office: tuple[str, FastAPI]) -> None:
    with signed_in(office[0]) as client:
        assert client.get("/config").json()["title"] == "责明"
        before = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        assert (
            client.post("/signout", data={"token": token_in(client.get("/account").text)}).status_code == 303
        )
        assert not client.cookies
        assert client.get("/config", headers={"cookie": before}).status_code == 401


def test_the_cookie_is_for_this_site_and_no_script(office: tuple[str, FastAPI], alone: str) -> None:
    for line in (
        httpx.get(f"{alone}/", headers=PAGE).headers["set-cookie"],
        httpx.get(f"{office[0]}/signin", headers=PAGE).headers["set-cookie"],
    ):
        assert all(part in line for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
        assert not any(part in line for part in ("Expires", "Max-Age", "Domain"))


def test_each_sign_in_is_a_new_session(office: tuple[str, FastAPI]) -> None:
    with signed_in(office[0]) as first, signed_in(office[0]) as second:
        one, other = [next(iter(client.cookies.values())) for client in (first, second)]
        assert one != other
        assert not one.startswith("visit.")


def test_without_accounts_each_browser_is_an_owner(alone: str) -> None:
    with httpx.Client(base_url=alone) as client:
        assert client.get("/", headers=PAGE).status_code == 200
        (cookie,) = client.cookies.values()
        assert cookie.startswith("visit.")
        assert "set-cookie" not in client.get("/", headers=PAGE).headers
        for path in ("/signin", "/setup", "/account", "/signout"):
            assert client.get(path, headers=PAGE).headers["location"] == "/"


def test_a_link_on_another_site_costs_nobody_his_session(office: tuple[str, FastAPI], alone: str) -> None:
    for address in (alone, office[0]):
        said = httpx.get(f"{address}/?a=1&b=2", headers={**PAGE, "sec-fetch-site": "cross-site"})
        assert said.status_code == 200
        assert 'content="0; url=/?a=1&amp;b=2"' in said.text
        assert "set-cookie" not in said.headers


# ---------------------------------------------------------------- other sites, other names, too much


def test_other_sites_change_nothing(alone: str) -> None:
    sent = {"texts": ["问责"]}
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        assert httpx.post(f"{alone}/traditional", json=sent, headers=headers).status_code == 403
    own = {"sec-fetch-site": "same-origin"}
    for headers in ({"origin": alone, **own}, {"origin": "null", **own}, {"origin": alone}, own, {}):
        assert httpx.post(f"{alone}/traditional", json=sent, headers=headers).json() == {"texts": ["問責"]}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "192.0.2.1", "", "127.0.0.1.evil.example"]
)
def test_a_foreign_name_leads_nowhere(alone: str, host: str) -> None:
    said = httpx.get(f"{alone}/", headers={**PAGE, "host": host})
    assert said.status_code == 400
    assert "<" not in said.text


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:9", "zeming.lan", "Zeming.LAN:443"])
def test_the_names_of_the_site_lead_to_it(alone: str, host: str) -> None:
    assert httpx.get(f"{alone}/own/icon.svg", headers={"host": host}).status_code == 200


def test_too_much_is_not_taken(alone: str) -> None:
    assert httpx.post(f"{alone}/traditional", content=b" " * (2 * 1024 * 1024 + 1)).status_code == 413
    assert httpx.post(f"{alone}/traditional", content=iter([b"{}"])).status_code == 411
    for sent in ({"texts": ["问" * 20_001]}, {"texts": [""] * 2001}, {"texts": "问"}, {}):
        said = httpx.post(f"{alone}/traditional", json=sent)
        assert (said.status_code, said.json()["error"]) == (422, "发送的内容读不懂，没有接受。")


def test_a_form_of_another_place_is_refused(office: tuple[str, FastAPI]) -> None:
    with signed_in(office[0]) as client:
        for path in (
            "/account",
            "/signout",
            "/admin/users",
            "/admin/users/1/role",
            "/admin/feedback/1/remove",
        ):
            for token in ("", "0" * 64):
                said = client.post(path, data={"token": token, "name": "新人", "password": PASSWORD})
                assert said.status_code == 403, path
                assert "刷新" in said.text
        assert client.get("/config").status_code == 200
    assert httpx.post(f"{office[0]}/signin", data={"name": "林知远", "password": PASSWORD}).status_code == 403


def test_after_signing_in_one_stays_on_the_site() -> None:
    for elsewhere in (
        "https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\t//evil.example", "",
        "/\n/evil.example", "/signin", "/signout", "evil", "/" + "x" * 600,
    ):  # fmt: skip
        assert own_path(elsewhere) == "/"
    assert own_path("/admin/feedback?state=all") == "/admin/feedback?state=all"


def test_every_answer_tells_browsers_to_be_careful(office: tuple[str, FastAPI], alone: str) -> None:
    for address in (office[0], alone):
        for path in ("/", "/config", "/own/site.css", "/signin", "/nowhere"):
            said = httpx.get(address + path, headers=PAGE).headers
            assert "frame-ancestors 'none'" in said["content-security-policy"]
            assert "form-action 'self'" in said["content-security-policy"]
            assert said["x-content-type-options"] == "nosniff"
            assert said["referrer-policy"] in ("no-referrer", "same-origin")
            assert said["cross-origin-opener-policy"] == "same-origin"
            assert "geolocation=()" in said["permissions-policy"]
            assert said["cache-control"] == ("no-cache" if path.startswith("/own/") else "no-store")
            assert "strict-transport-security" not in said
    assert "unsafe" not in httpx.get(f"{office[0]}/signin").headers["content-security-policy"]


# ---------------------------------------------------------------- how often


def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    pace = Pace(3)
    for _ in range(3):
        pace.check("user:1")
    with pytest.raises(QuestionError, match=r"^问得太快了，请等 (60|59) 秒再问。$"):
        pace.check("user:1")
    pace.check("user:2")


def test_one_address_may_not_try_for_ever(corpus: Corpus, tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, port=free_port(), accounts=True)
    app = site(corpus, settings)
    served = server.launch(app, settings)
    try:
        with httpx.Client(base_url=served.address) as client:
            token = token_in(client.get("/setup", headers=PAGE).text)
            sent = {"token": token, "name": "管理员", "password": PASSWORD, "again": PASSWORD}
            for _ in range(20):
                assert "代码不对" in client.post("/setup", data={**sent, "code": "AAAA-AAAA-AAAA"}).text
            code = app.state.code
            assert "试得太频繁了，请等" in client.post("/setup", data={**sent, "code": code}).text
            assert not app.state.registry.accounts.any()
    finally:
        served.close()


# ---------------------------------------------------------------- addresses and certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, ssl.SSLContext]:
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    made.private_key_pem.write_to_path(folder / "key.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return folder / "cert.pem", folder / "key.pem", trusting


def test_with_a_certificate_all_is_https(
    corpus: Corpus, tmp_path: Path, certificate: tuple[Path, Path, ssl.SSLContext]
) -> None:
    cert, key, trusting = certificate
    settings = load_settings(data=tmp_path, port=free_port(), tls_cert=cert, tls_key=key)
    served = server.launch(site(corpus, settings), settings)
    try:
        assert served.address.startswith("https://127.0.0.1:")
        said = httpx.get(f"{served.address}/", headers=PAGE, verify=trusting).headers
        assert said["strict-transport-security"] == "max-age=31536000"
        assert said["set-cookie"].startswith("__Host-zeming-")
        assert "; Secure" in said["set-cookie"]
    finally:
        served.close()


def test_a_certificate_that_cannot_be_used_is_named(
    tmp_path: Path, certificate: tuple[Path, Path, ssl.SSLContext]
) -> None:
    cert, key, _ = certificate
    other = tmp_path / "other.pem"
    other.write_bytes(trustme.CA().issue_cert("x.example").private_key_pem.bytes())
    for given in ((cert, None), (None, key)):
        with pytest.raises(SettingsError, match="ZEMING_TLS_CERT 和 ZEMING_TLS_KEY 要么都写"):
            server.check_address(load_settings(port=free_port(), tls_cert=given[0], tls_key=given[1]))
    for given in ((cert, other), (tmp_path / "none.pem", key), (key, cert), (cert, tmp_path)):
        with pytest.raises(SettingsError, match="读不出来或者不配对"):
            server.check_address(load_settings(port=free_port(), tls_cert=given[0], tls_key=given[1]))


def test_what_the_terminal_says(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, accounts=True, host="0.0.0.0")
    registry = Registry(open_store(settings), settings)
    lines = server.notices(settings, registry, "ABCD-EFGH-JKMN", "http://0.0.0.0:7860")
    assert "一次性代码 ABCD-EFGH-JKMN" in lines[0]
    assert "明文" in lines[1]
    registry.accounts.create_first("林知远", PASSWORD)
    assert len(server.notices(settings, registry, "ABCD", "http://x")) == 1
    assert server.notices(load_settings(data=tmp_path), registry, "ABCD", "http://x") == []


# ---------------------------------------------------------------- what is old


def test_what_is_old_is_swept_away(tmp_path: Path) -> None:
    now = datetime(2026, 3, 20, 8, tzinfo=UTC)
    settings = load_settings(data=tmp_path, retention_days=30)
    store = open_store(settings)
    registry = Registry(store, settings, lambda: now)

    def keep(owner: str, id: str, age: timedelta) -> None:
        registry.conversations.keep(owner, Kept(id, "题", now - age, now - age, "{}"))

    keep("user:1", "a", timedelta(days=29))
    keep("user:1", "b", timedelta(days=31))
    keep("browser:x", "c", timedelta(hours=23))
    keep("browser:x", "d", timedelta(hours=25))
    registry.feedback.add(Feedback(now, True, "", "", "题", "in", (), date(2026, 3, 20)))
    assert registry.sweep() == 2
    assert [h.id for h in registry.conversations.listed("user:1")] == ["a"]
    assert [h.id for h in registry.conversations.listed("browser:x")] == ["c"]
    nothing = Registry(store, settings.model_copy(update={"keep_history": False}), lambda: now)
    assert nothing.sweep() == 2


def test_sweeping_begins_at_once_and_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = load_settings(data=tmp_path)
    registry = Registry(open_store(settings), settings)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    registry.conversations.keep("user:1", Kept("a", "题", long_ago, long_ago, "{}"))
    registry.keep_swept()()
    assert registry.conversations.listed("user:1") == ()
    assert caplog.text == ""
