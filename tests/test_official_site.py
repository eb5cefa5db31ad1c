"""Fetching from official sites, against a real server on this machine."""

from __future__ import annotations

import gzip
import itertools
import ssl
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from assistant.adapters.official_site import Manners, OfficialSite, read_search
from assistant.errors import PageGone, SettingsError, SyncError
from tests.local_site import TITLE, LocalSite, Said, article_page, local_site, search_page

HOST, OTHER, SEARCH_HOST = "www.shiyan.test", "fg.shiyan.test", "search.shiyan.test"
URL, SEARCH = f"https://{HOST}/2024/a.shtml", f"https://{SEARCH_HOST}/service/search.php"
PAGE = article_page()
QUICK: dict[str, Any] = {"pause": 0.0, "timeout": 2.0, "back_off": 0.01}


def polite(
    site: LocalSite, folder: Path, *, certificates: Path | None = None, **manners: Any
) -> OfficialSite:
    return OfficialSite(
        (HOST, OTHER),
        folder,
        Manners(**QUICK | manners),
        search_url=SEARCH,
        routes=dict.fromkeys((HOST, OTHER, SEARCH_HOST, "evil.test"), site.base),
        certificates=certificates,
    )


def fails(site: LocalSite, folder: Path, url: str = URL, **manners: Any) -> str:
    with polite(site, folder, **manners) as official, pytest.raises(SyncError) as error:
        official.fetch(url)
    message = str(error.value)
    assert message.count("。") == 1, "one sentence"
    assert message.endswith("。"), "one sentence"
    return message


# ---------------------------------------------------------------- pages


def test_a_page_is_fetched_as_it_is(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(PAGE, content_type="text/html; charset=UTF-8")}) as site:
        with polite(site, tmp_path) as official:
            before = datetime.now(UTC)
            page = official.fetch(URL)
        assert (page.url, page.final_url, page.status, page.content) == (URL, URL, 200, PAGE)
        assert page.charset == "utf-8"
        assert before <= page.fetched_at <= datetime.now(UTC)
        assert not page.from_cache
        [asked] = site.pages
        assert asked.host == HOST
        assert asked.headers["User-Agent"].startswith("zeming/")


def test_gbk_bytes_arrive_untouched(tmp_path: Path) -> None:
    page = article_page(charset="gbk")
    with (
        local_site({"/2024/a.shtml": Said(page, content_type="text/html; charset=GBK")}) as site,
        polite(site, tmp_path) as official,
    ):
        fetched = official.fetch(URL)
    assert (fetched.content, fetched.charset) == (page, "gbk")


def test_redirects_are_followed_on_allowed_hosts(tmp_path: Path) -> None:
    answers = {
        "/2024/a.shtml": Said(status=302, headers={"Location": f"http://{OTHER}/b#top"}),
        "/b": Said(status=301, headers={"Location": "/c?x=1"}),
        "/c?x=1": Said(PAGE),
    }
    with local_site(answers) as site, polite(site, tmp_path) as official:
        page = official.fetch(URL)
        assert (page.url, page.final_url, page.content) == (URL, f"https://{OTHER}/c?x=1", PAGE)
        assert [asked.host for asked in site.pages] == [HOST, OTHER, OTHER]


@pytest.mark.parametrize(
    "location",
    ["https://evil.test/a", "//evil.test/a", "https://127.0.0.1/a", f"https://{HOST}.evil.test/", f"https://{HOST}@evil.test/",
     f"https://{HOST}:8443/a", "file:///etc/passwd", "javascript:alert(1)", "https://[bad/"],
)  # fmt: skip
def test_a_redirect_to_anywhere_else_is_not_followed(tmp_path: Path, location: str) -> None:
    with local_site({"/2024/a.shtml": Said(status=302, headers={"Location": location})}) as site:
        fails(site, tmp_path)
        assert len(site.pages) == 1


def test_redirects_without_end_are_given_up(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(status=302, headers={"Location": "/2024/a.shtml"})}) as site:
        assert "转来转去" in fails(site, tmp_path)
        assert len(site.pages) == 6


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/",
        "https://127.0.0.1/",
        f"https://{HOST}:444/",
        f"https://me@{HOST}/",
        f"ftp://{HOST}/",
        "x",
        "",
    ],
)
def test_only_catalogued_hosts_are_asked(tmp_path: Path, url: str) -> None:
    with local_site({}) as site:
        fails(site, tmp_path, url)
        assert not site.asked


def test_an_http_address_is_asked_over_https(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(PAGE)}) as site, polite(site, tmp_path) as official:
        assert official.fetch(URL.replace("https", "http")).final_url == URL


def test_a_route_may_only_lead_to_this_machine(tmp_path: Path) -> None:
    for base in ("http://192.0.2.1:80", "https://example.org", "127.0.0.1:80", ""):
        with pytest.raises(SettingsError):
            OfficialSite((HOST,), tmp_path, routes={HOST: base})


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said(status=403), "拒绝访问（403）"),
        (Said(status=401), "拒绝访问（401）"),
        (Said(status=418), "用不了（418）"),
        (Said(status=302), "用不了（302）"),
        (Said(status=304), "用不了（304）"),
        (Said(b"%PDF-1.4", content_type="application/pdf"), "不是网页（application/pdf）"),
        (Said(b"%PDF-1.4", content_type=""), "不是网页"),
        (Said(b"  \n"), "空白页"),
        (Said(PAGE, headers={"Content-Encoding": "br"}), "压缩，读不了"),
    ],
)
def test_answers_that_cannot_be_used(tmp_path: Path, said: Said, words: str) -> None:
    with local_site({"/2024/a.shtml": said}) as site:
        assert words in fails(site, tmp_path)
        assert len(site.pages) == 1, "asking again would not help"


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_is_told_apart(tmp_path: Path, status: int) -> None:
    with (
        local_site({"/2024/a.shtml": Said(status=status)}) as site,
        polite(site, tmp_path) as official,
        pytest.raises(PageGone, match=f"已经没有这一页（{status}）"),
    ):
        official.fetch(URL)


def test_a_fault_of_the_site_is_tried_again(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": [Said(status=500), Said(status=502), Said(PAGE)]}) as site:
        with polite(site, tmp_path) as official:
            assert official.fetch(URL).content == PAGE
        assert len(site.pages) == 3


def test_retries_end_and_wait_longer_each_time(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(status=500)}) as site:
        assert "出了故障（500）" in fails(site, tmp_path, back_off=0.1)
        first, second, third = (asked.at for asked in site.pages)
        assert second - first >= 0.07
        assert third - second >= 0.14


def test_retry_after_is_honoured(tmp_path: Path) -> None:
    slow_down = Said(status=429, headers={"Retry-After": "1"})
    with local_site({"/2024/a.shtml": [slow_down, Said(PAGE)]}) as site, polite(site, tmp_path) as official:
        assert official.fetch(URL).content == PAGE
        first, second = (asked.at for asked in site.pages)
        assert second - first >= 1


@pytest.mark.parametrize("form", ["seconds", "day"])
def test_a_site_that_wants_to_be_left_alone_is_left_alone(tmp_path: Path, form: str) -> None:
    until = datetime.now(UTC) + timedelta(seconds=3590)
    value = "3590" if form == "seconds" else format_datetime(until, usegmt=True)
    with local_site({"/2024/a.shtml": Said(status=429, headers={"Retry-After": value})}) as site:
        assert "60 分钟" in fails(site, tmp_path)
        assert len(site.pages) == 1


def test_a_slow_answer_is_not_waited_for(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(PAGE, after=1.0)}) as site:
        assert "没有回答" in fails(site, tmp_path, timeout=0.15, attempts=2)
        assert len(site.pages) == 2


def test_an_answer_that_breaks_off_is_tried_again(tmp_path: Path) -> None:
    broken = Said(PAGE, headers={"Content-Length": str(len(PAGE) + 100), "Connection": "close"})
    cut = Said(gzip.compress(PAGE)[:-20], headers={"Content-Encoding": "gzip"})
    with (
        local_site({"/2024/a.shtml": [broken, cut, Said(PAGE)]}) as site,
        polite(site, tmp_path, timeout=0.3) as official,
    ):
        assert official.fetch(URL).content == PAGE


def test_a_compressed_page_is_expanded(tmp_path: Path) -> None:
    said = Said(gzip.compress(PAGE), headers={"Content-Encoding": "gzip"})
    with local_site({"/2024/a.shtml": said}) as site, polite(site, tmp_path) as official:
        assert official.fetch(URL).content == PAGE


def test_too_large_pages_are_refused(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(b"<p>" + b"x" * 200_000)}) as site:
        assert "超过" in fails(site, tmp_path, most_bytes=100_000)


def test_a_bomb_is_expanded_no_further_than_the_limit(tmp_path: Path) -> None:
    import tracemalloc

    bomb = gzip.compress(bytes(100 * 2**20))
    with local_site({"/2024/a.shtml": Said(bomb, headers={"Content-Encoding": "gzip"})}) as site:
        tracemalloc.start()
        assert "超过 1 MB" in fails(site, tmp_path, most_bytes=2**20)
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
        tracemalloc.stop()


def test_a_host_that_cannot_be_reached_is_not_asked_for_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_site({}) as site:
        base = site.base
    with OfficialSite(
        (HOST,), tmp_path, Manners(**QUICK | {"back_off": 1.0}), routes={HOST: base}
    ) as official:
        for _ in range(2):
            pauses: list[float] = []
            monkeypatch.setattr("time.sleep", pauses.append)
            with pytest.raises(SyncError, match=f"连不上 {HOST}"):
                official.fetch(URL)
        assert not pauses, "asked again after a pause"


def test_offline_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    # .invalid is reserved: no name server knows it
    with (
        OfficialSite(("www.shiyan.invalid",), tmp_path, Manners(**QUICK)) as official,
        pytest.raises(SyncError, match=r"找不到 www\.shiyan\.invalid，没有联网或者域名解析失败"),
    ):
        official.fetch("https://www.shiyan.invalid/")


# ---------------------------------------------------------------- encryption


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, path


def served_as(ca: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


def test_a_trusted_certificate_of_that_name_is_accepted(
    tmp_path: Path, authority: tuple[trustme.CA, Path]
) -> None:
    ca, path = authority
    with (
        local_site({"/2024/a.shtml": Said(PAGE)}, served_as(ca, HOST)) as site,
        polite(site, tmp_path, certificates=path) as official,
    ):
        assert official.fetch(URL).content == PAGE


def test_an_unknown_certificate_is_refused(tmp_path: Path, authority: tuple[trustme.CA, Path]) -> None:
    with local_site({"/2024/a.shtml": Said(PAGE)}, served_as(authority[0], HOST)) as site:
        assert "证书通不过验证" in fails(site, tmp_path)
        assert not site.asked


def test_a_certificate_of_another_name_is_refused(tmp_path: Path, authority: tuple[trustme.CA, Path]) -> None:
    ca, path = authority
    with local_site({"/2024/a.shtml": Said(PAGE)}, served_as(ca, "evil.test")) as site:
        with (
            polite(site, tmp_path, certificates=path) as official,
            pytest.raises(SyncError, match="证书通不过验证"),
        ):
            official.fetch(URL)
        assert not site.asked


def test_a_site_that_does_not_encrypt_is_refused(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(PAGE)}) as site:
        routes = {HOST: site.base.replace("http:", "https:")}
        with (
            OfficialSite((HOST,), tmp_path, Manners(**QUICK), routes=routes) as official,
            pytest.raises(SyncError, match="加密连接失败"),
        ):
            official.fetch(URL)


def test_a_file_that_holds_no_certificates_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("x")
    for wrong in (path, tmp_path / "absent.pem"):
        with pytest.raises(SettingsError, match="证书文件"):
            OfficialSite((HOST,), tmp_path, certificates=wrong)


# ---------------------------------------------------------------- manners


def test_there_is_a_pause_between_requests(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": Said(PAGE)}) as site, polite(site, tmp_path, pause=0.2) as official:
        official.fetch(URL)
        official.fetch(URL)
        times = [asked.at for asked in site.asked]
        assert len(times) == 3, "robots.txt is asked for once"
        assert all(later - earlier >= 0.2 for earlier, later in itertools.pairwise(times))


def test_robots_txt_is_honoured(tmp_path: Path) -> None:
    rules = b"User-agent: *\nDisallow: /2024/\nCrawl-delay: 1\n"
    with local_site({"/robots.txt": Said(rules), "/2024/a.shtml": Said(PAGE), "/b": Said(PAGE)}) as site:
        assert "robots.txt 不让" in fails(site, tmp_path)
        assert not site.pages
        with polite(site, tmp_path) as official:
            assert official.fetch(f"https://{HOST}/b").content == PAGE
        assert site.asked[-1].at - site.asked[-2].at >= 1


@pytest.mark.parametrize(
    "robots",
    [Said(status=404), Said(status=403), Said(b"<html>404</html>"), Said(b"\xff\xfe"),
     Said(status=302, headers={"Location": "https://evil.test/"}), Said(b"User-agent: *\nDisallow: /other\n")],
)  # fmt: skip
def test_without_rules_everything_is_allowed(tmp_path: Path, robots: Said) -> None:
    with (
        local_site({"/robots.txt": robots, "/2024/a.shtml": Said(PAGE)}) as site,
        polite(site, tmp_path) as official,
    ):
        assert official.fetch(URL).content == PAGE


# ---------------------------------------------------------------- cache


def etagged(headers: Mapping[str, str]) -> Said:
    if headers.get("If-None-Match") == '"1"':
        return Said(status=304)
    return Said(PAGE, headers={"ETag": '"1"'}, content_type="text/html; charset=utf-8")


def test_an_unchanged_page_comes_from_the_cache(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": etagged}) as site:
        pages = []
        for _ in range(2):  # a second run of the program
            with polite(site, tmp_path) as official:
                pages.append(official.fetch(URL))
        assert [(page.from_cache, page.content, page.charset) for page in pages] == [
            (False, PAGE, "utf-8"), (True, PAGE, "utf-8"),
        ]  # fmt: skip


def test_last_modified_is_asked_about(tmp_path: Path) -> None:
    day = "Wed, 21 Oct 2020 07:28:00 GMT"
    with local_site({"/2024/a.shtml": Said(PAGE, headers={"Last-Modified": day})}) as site:
        with polite(site, tmp_path) as official:
            official.fetch(URL)
            official.fetch(URL)
        assert site.pages[1].headers["If-Modified-Since"] == day


@pytest.mark.parametrize("damage", [b"", b"{", b'{"url": 1}', b'{"sha": "../../x"}', b"\xff", b"[]"])
def test_a_damaged_cache_is_not_used(tmp_path: Path, damage: bytes) -> None:
    with local_site({"/2024/a.shtml": etagged}) as site, polite(site, tmp_path) as official:
        official.fetch(URL)
        for kept in tmp_path.glob("*.json"):
            kept.write_bytes(damage)
        page = official.fetch(URL)
        assert (page.from_cache, page.content) == (False, PAGE)


def test_a_cached_body_that_was_altered_is_not_used(tmp_path: Path) -> None:
    with local_site({"/2024/a.shtml": etagged}) as site, polite(site, tmp_path) as official:
        official.fetch(URL)
        for kept in tmp_path.glob("*.page"):
            kept.write_bytes(b"<p>forged</p>")
        assert official.fetch(URL).content == PAGE


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with local_site({"/2024/a.shtml": etagged}) as site, polite(site, blocked / "cache") as official:
        assert official.fetch(URL).content == PAGE


# ---------------------------------------------------------------- search


def row(n: int, host: str = HOST) -> dict[str, str]:
    return {
        "title": f"<em>试验</em>工作<em class='x'>条例</em>{n}",
        "url": f"http://{host}/2024/{n}.shtml",
        "pubtime": "2024-04-20 10:00:00",
        "brief": "为了规范&ldquo;试验&rdquo;工作<br/>制定",
    }


def test_search_reads_titles_without_marks(tmp_path: Path) -> None:
    with local_site({"/service/search.php": search_page([row(1)], total=1)}) as site:
        with polite(site, tmp_path) as official:
            [found] = official.search(TITLE)
        assert (found.title, found.published) == ("试验工作条例1", date(2024, 4, 20))
        assert found.url == f"http://{HOST}/2024/1.shtml"
        assert found.brief == "为了规范“试验”工作制定"
        query = site.pages[0].query
        assert query.keys() == {"t", "pageids", "sort", "mindate", "searchfield", "format", "q", "p"}
        assert (query["t"], query["format"], query["q"], query["p"]) == ("xuexipingtai", "jsonp", TITLE, "1")


def test_search_turns_pages_until_it_has_all_or_enough(tmp_path: Path) -> None:
    def paged(headers: Mapping[str, str]) -> Said:
        number = int(headers["path"].rpartition("p=")[2])
        return search_page([row(number * 10 + n) for n in range(2)], total=total, size=2)

    for total, asked in (  # noqa: B007 - paged reads it
        (2, 1),
        (3, 2),
        (4, 2),
        (100, 3),
    ):
        with local_site({"/service/search.php": paged}) as site, polite(site, tmp_path) as official:
            assert len(official.search(TITLE)) == asked * 2
            assert [a.query["p"] for a in site.pages] == [str(n + 1) for n in range(asked)]


def test_search_leaves_out_what_may_not_be_fetched(tmp_path: Path) -> None:
    rows = [
        row(1, "evil.test"),
        row(2),
        row(2),
        row(3) | {"url": "javascript:alert(1)"},
        row(4) | {"url": ""},
    ]
    with (
        local_site({"/service/search.php": search_page(rows, total=5)}) as site,
        polite(site, tmp_path) as official,
    ):
        assert [found.url for found in official.search(TITLE)] == [f"http://{HOST}/2024/2.shtml"]


@pytest.mark.parametrize(
    "body",
    ["", "{}", "callback_search()", "callback_search({)", "callback_search([])", "callback_search({})",
     'alert(1);callback_search({"searchVO": {"totalcount": 0, "listVO": []}})',
     'callback_search({"searchVO": {"totalcount": 0, "listVO": []}});alert(1)',
     'other({"searchVO": {"totalcount": 0, "listVO": []}})', 'callback_search({"searchVO": null})',
     'callback_search({"searchVO": {"totalcount": "x", "listVO": []}})',
     'callback_search({"searchVO": {"listVO": []}})',
     'callback_search({"searchVO": {"totalcount": 1, "listVO": [1]}})',
     'callback_search({"searchVO": {"totalcount": 1, "listVO": [{"title": "x"}]}})',
     'callback_search({"searchVO": {"totalcount": 1, "listVO": [{"title": 1, "url": "x"}]}})',
     'callback_search({"searchVO": ' + "[" * 100_000 + "})", "<html>维护中</html>"],
)  # fmt: skip
def test_a_search_result_of_another_shape_is_refused(body: str) -> None:
    with pytest.raises(SyncError, match="检索结果格式变了"):
        read_search(body.encode(), None, SEARCH)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (
            '\ufeffcallback_search( {"searchVO": {"totalcount": "1", "listVO": [{"title": "条", "url": "/a"}]}} ) ;\n',
            None,
        ),
        (
            '/**/callback_search({"searchVO": {"totalcount": 1, "listVO": [{"title": "条", "url": "/a"}]}})',
            "gbk",
        ),
    ],
)
def test_harmless_differences_of_the_wrapping_are_read(body: str, charset: str | None) -> None:
    total, [found] = read_search(body.encode(charset or "utf-8"), charset, SEARCH)
    assert (total, found.title, found.url, found.published) == (1, "条", f"https://{SEARCH_HOST}/a", None)


def test_an_unknown_charset_of_the_search_is_refused() -> None:
    with pytest.raises(SyncError):
        read_search(b"callback_search({})", "no-such", SEARCH)
