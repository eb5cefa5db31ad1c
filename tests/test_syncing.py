"""Syncing with official sites: a real server, the real reading of pages, and a library in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assistant.adapters.official_site import Manners, OfficialSite
from assistant.adapters.readers import Limits, Source, read
from assistant.adapters.readers.hypertext import read_html
from assistant.adapters.readers.values import Unreadable
from assistant.errors import DocumentError, LibraryError
from assistant.model import Instrument, RawDocument, Regulation
from assistant.ports import Page
from assistant.syncing import Stored, SyncParts, SyncReport, hosts_of, sync
from tests.local_site import ARTICLES, TITLE, LocalSite, Said, article_page, local_site, search_page

HOST = "www.shiyan.test"
PATH = "/2024/a.shtml"
SEARCH = "https://search.shiyan.test/service/search.php"
URL = f"https://{HOST}{PATH}"
SHIYAN = Instrument(
    "shiyan-2024", TITLE, ("试验条例",), "试验委员会", "党内法规", 2, date(2024, 5, 1), None, None, URL, 8
)
CATALOGUE = {
    one.id: one
    for one in (
        SHIYAN,
        replace(SHIYAN, id="shiyan-2016", effective_from=date(2016, 1, 1), effective_to=date(2024, 4, 30),
                replaced_by="shiyan-2024", official_url=f"https://{HOST}/2016/a.shtml", article_count=6),
        replace(SHIYAN, id="guancha-2020", title="观察工作条例", short_titles=("观察条例",), official_url=None),
        replace(SHIYAN, id="jilu-2021", title="记录法", short_titles=("记录法",), kind="法律", official_url=f"https://{HOST}"),
        replace(SHIYAN, id="yiqi-2022", title="仪器管理法", short_titles=("仪器法",), kind="法律",
                official_url=f"https://{HOST}/law/gone"),
    )
}  # fmt: skip


class Memory:
    """A library that keeps everything while the test lasts. A text is there as a whole or not at all."""

    def __init__(self) -> None:
        self.texts: dict[str, list[tuple[Stored, Regulation, bytes]]] = {}

    def latest(self, instrument_id: str) -> Regulation | None:
        held = self.texts.get(instrument_id)
        return held[-1][1] if held else None

    def store(
        self, instrument_id: str, raw: bytes, regulation: Regulation, url: str, fetched: datetime
    ) -> None:
        self.texts.setdefault(instrument_id, []).append((Stored(fetched, url), regulation, raw))

    def history(self, instrument_id: str) -> Sequence[Stored]:
        return [stored for stored, _, _ in self.texts.get(instrument_id, ())]


def read_page(page: Page) -> RawDocument:
    """What the readers make of a page, without the process that each file gets in earnest."""
    try:
        return read_html(page.content)
    except Unreadable as reason:
        raise DocumentError(f"{page.final_url}：{reason}") from None


def synced(
    site: LocalSite,
    folder: Path,
    library: Memory,
    *ids: str,
    catalogue: Mapping[str, Instrument] = CATALOGUE,
    **how: Any,
) -> list[SyncReport]:
    hosts = hosts_of(catalogue)
    routes = dict.fromkeys((*hosts, "search.shiyan.test"), site.base)
    manners = Manners(pause=0, timeout=0.5, back_off=0.01, attempts=2)
    with OfficialSite(hosts, folder, manners, search_url=SEARCH, routes=routes) as official:
        reports = sync(ids, catalogue, SyncParts(official, read_page, library), **how)
    for report in reports:
        assert report.message.endswith("。"), "a sentence"
        assert json.loads(json.dumps(report.as_data(), ensure_ascii=False))["id"] == report.instrument_id
    return reports


def one(site: LocalSite, folder: Path, library: Memory, **how: Any) -> SyncReport:
    [report] = synced(site, folder, library, "shiyan-2024", **how)
    return report


def changed_articles(**changes: str) -> tuple[str, ...]:
    return tuple(changes.get(f"a{n}", words) for n, words in enumerate(ARTICLES, 1))


# ---------------------------------------------------------------- first, same, changed


def test_the_first_text_is_stored_article_by_article(tmp_path: Path) -> None:
    library = Memory()
    with local_site({PATH: Said(article_page())}) as site:
        report = one(site, tmp_path, library)
    assert (report.outcome, report.message) == ("first", "首次取得，共 8 条。")
    stored = library.latest("shiyan-2024")
    assert stored is not None
    assert stored.title == TITLE
    assert [article.whole for article in stored.articles] == [words.replace("|", "\n") for words in ARTICLES]
    assert [item.number for item in stored.articles[3].paragraphs[0].items] == [1, 2, 3]
    assert library.texts["shiyan-2024"][0][2] == article_page()
    assert library.history("shiyan-2024") == [Stored(report.fetched, f"https://{HOST}{PATH}")]


def test_pages_are_read_in_a_process_of_their_own_in_earnest(tmp_path: Path) -> None:
    hosts = hosts_of(CATALOGUE)
    library = Memory()
    with (
        local_site({PATH: Said(article_page())}) as site,
        OfficialSite(hosts, tmp_path, Manners(pause=0), routes={HOST: site.base}) as official,
    ):
        parts = SyncParts(official, lambda page: read(Source("网页.html", page.content), Limits()), library)
        [report] = sync(["shiyan-2024"], CATALOGUE, parts)
    assert report.outcome == "first"
    stored = library.latest("shiyan-2024")
    assert stored is not None
    assert len(stored.articles) == 8


def test_gbk_and_utf8_pages_give_the_same_text(tmp_path: Path) -> None:
    library = Memory()
    pages = [Said(article_page(charset="gbk")), Said(article_page())]
    with local_site({PATH: pages}) as site:
        reports = [one(site, tmp_path, library) for _ in pages]
    assert [report.outcome for report in reports] == ["first", "same"]
    assert reports[1].message == "没有变化，共 8 条。"
    assert len(library.history("shiyan-2024")) == 1


def test_an_unchanged_page_out_of_the_cache_is_no_change(tmp_path: Path) -> None:
    def etagged(headers: Mapping[str, str]) -> Said:
        known = "If-None-Match" in headers
        return Said(status=304) if known else Said(article_page(), headers={"ETag": '"1"'})

    library = Memory()
    with local_site({PATH: etagged}) as site:
        assert [one(site, tmp_path, library).outcome for _ in range(2)] == ["first", "same"]
        assert "If-None-Match" in site.pages[1].headers


def test_a_change_is_shown_and_the_old_text_is_kept(tmp_path: Path) -> None:
    library = Memory()
    after = changed_articles(a3=ARTICLES[2].replace("十日", "五日"))
    with local_site({PATH: [Said(article_page()), Said(article_page(after))]}) as site:
        first, second = one(site, tmp_path, library), one(site, tmp_path, library)
    assert second.outcome == "changed"
    assert second.message == "有变化：修改1条，旧文本已保留。"
    assert second.last_fetched == first.fetched
    [change] = second.changes
    assert (change.new, change.edits[0].old, change.edits[0].new) == ("3", "十", "五")
    assert second.as_data()["changes"][0]["edits"][0]["new"] == "五"
    assert [stored.url for stored in library.history("shiyan-2024")] == [f"https://{HOST}{PATH}"] * 2


def test_another_line_above_the_text_is_no_change(tmp_path: Path) -> None:
    library = Memory()
    again = article_page().replace(
        "发布时间：2024-04-20 10:00".encode(), "发布时间：2025-01-01 08:00 浏览：99".encode()
    )
    with local_site({PATH: [Said(article_page()), Said(again)]}) as site:
        assert [one(site, tmp_path, library).outcome for _ in range(2)] == ["first", "same"]


# ---------------------------------------------------------------- what is not stored


def refused(folder: Path, said: Said, library: Memory | None = None) -> str:
    library = library or Memory()
    before = library.history("shiyan-2024")
    with local_site({PATH: said}) as site:
        report = one(site, folder, library)
    assert report.outcome == "refused"
    assert library.history("shiyan-2024") == before
    return report.message


def test_missing_articles_are_named_and_nothing_is_stored(tmp_path: Path) -> None:
    assert "缺第三条、第五条" in refused(tmp_path, Said(article_page(left_out=(3, 5))))


def test_an_incomplete_page_does_not_replace_a_complete_text(tmp_path: Path) -> None:
    library = Memory()
    with local_site({PATH: Said(article_page())}) as site:
        one(site, tmp_path, library)
    assert "缺第二条" in refused(tmp_path, Said(article_page(left_out=(2,))), library)
    assert len(library.texts["shiyan-2024"]) == 1


def test_a_page_cut_off_at_the_end_is_not_the_version(tmp_path: Path) -> None:
    message = refused(tmp_path, Said(article_page(ARTICLES[:6])))
    assert "共 6 条" in message
    assert "共 8 条" in message


def test_a_page_cut_off_is_seen_without_a_count_in_the_catalogue(tmp_path: Path) -> None:
    # the day of force stands above the text here, so that both pages have it
    words = ARTICLES[:7]
    dated = "2024年4月20日发布".encode(), "2024年4月20日发布，自2024年5月1日起施行".encode()
    pages = [Said(article_page(words[:n]).replace(*dated)) for n in (7, 5)]
    catalogue = {"shiyan-2024": replace(SHIYAN, article_count=None)}
    library = Memory()
    with local_site({PATH: pages}) as site:
        first = one(site, tmp_path, library, catalogue=catalogue)
        second = one(site, tmp_path, library, catalogue=catalogue)
    assert (first.outcome, second.outcome) == ("first", "refused")
    assert "只有 5 条" in second.message
    assert len(library.texts["shiyan-2024"]) == 1


def test_another_regulation_at_the_address_is_not_stored(tmp_path: Path) -> None:
    message = refused(tmp_path, Said(article_page(title="观察工作条例")))
    assert "《观察工作条例》" in message


def test_a_newer_version_at_the_address_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    newer = changed_articles(a8="本条例自2026年3月1日起施行。")
    assert "2026-03-01 起施行" in refused(tmp_path, Said(article_page(newer)))


@pytest.mark.parametrize(
    "body",
    ["<html><body><div id='app'></div><script>render()</script></body></html>",
     f"<html><body><h1>{TITLE}</h1><p>页面已改版，请在新版中阅读全文，感谢您的理解和支持。</p></body></html>",
     f"<html><body><h1>{TITLE}解读</h1><p>第一条讲的是目的。第二条讲的是范围，试验人员要学好用好。</p></body></html>"],
)  # fmt: skip
def test_a_changed_layout_is_said(tmp_path: Path, body: str) -> None:
    library = Memory()
    with local_site({PATH: Said(body.encode())}) as site:
        report = one(site, tmp_path, library)
    assert report.outcome in ("refused", "failed")
    assert not library.texts


def test_another_layout_that_still_holds_the_text_is_read(tmp_path: Path) -> None:
    rows = "".join(
        f"<tr><td>第{'一二三四五六七八'[n]}条 {w.replace('|', '<br>')}</td></tr>"
        for n, w in enumerate(ARTICLES)
    )
    page = f"<html><title>{TITLE}</title><body><h2>{TITLE}</h2><table>{rows}</table></body></html>"
    library = Memory()
    with local_site({PATH: Said(page.encode())}) as site:
        report = one(site, tmp_path, library)
    assert report.outcome == "first"
    stored = library.latest("shiyan-2024")
    assert stored is not None
    assert len(stored.articles) == 8


# ---------------------------------------------------------------- pages that have moved


def found(title: str, path: str, host: str = HOST) -> dict[str, str]:
    return {"title": title, "url": f"http://{host}{path}", "pubtime": "2024-04-20", "brief": ""}


def test_a_moved_page_is_found_by_its_title(tmp_path: Path) -> None:
    results = search_page(
        [found(f"<em>{TITLE}</em>解读", "/jiedu"), found("观察工作条例", "/other"),
         found("试验委员会印发《<em>试验工作</em>条例》", "/new")],
        total=3,
    )  # fmt: skip
    answers = {
        "/service/search.php": results,
        "/new": Said(article_page()),
        "/jiedu": Said(b"<p>\xe8\xa7\xa3\xe8\xaf\xbb</p>"),
    }
    library = Memory()
    with local_site(answers) as site:
        report = one(site, tmp_path, library)
        assert not [asked for asked in site.pages if asked.path == "/other"]
    assert report.outcome == "first"
    assert report.found_at == f"https://{HOST}/new"
    assert f"新地址是 https://{HOST}/new，请更新目录" in report.message


def test_a_page_that_is_nowhere_is_said(tmp_path: Path) -> None:
    with local_site({"/service/search.php": search_page([], total=0)}) as site:
        report = one(site, tmp_path, Memory())
    assert report.outcome == "failed"
    assert "404" in report.message
    assert "按标题检索也没有找到" in report.message


def test_a_law_is_not_searched_in_the_party_library(tmp_path: Path) -> None:
    with local_site({}) as site:
        [report] = synced(site, tmp_path, Memory(), "yiqi-2022")
        assert [asked.path for asked in site.pages] == ["/law/gone"]
    assert (report.outcome, "404" in report.message) == ("failed", True)


def test_what_has_no_address_is_searched_only_when_asked_to(tmp_path: Path) -> None:
    page = article_page(title="观察工作条例")
    answers = {"/service/search.php": search_page([found("观察工作条例", "/gc")], total=1), "/gc": Said(page)}
    with local_site(answers) as site:
        [skipped] = synced(site, tmp_path, Memory(), "guancha-2020")
        assert (skipped.outcome, skipped.message, site.asked) == ("skipped", "没有官方地址，跳过。", [])
        library = Memory()
        [report] = synced(site, tmp_path, library, "guancha-2020", look_up=True)
    assert report.outcome == "first"
    assert f"检索找到的地址是 https://{HOST}/gc" in report.message
    assert library.latest("guancha-2020") is not None


# ---------------------------------------------------------------- all of them


def test_all_are_reported_and_one_failure_stops_nothing(tmp_path: Path) -> None:
    told: list[SyncReport] = []
    library = Memory()
    catalogue = {"yiqi-2022": CATALOGUE["yiqi-2022"]} | CATALOGUE
    with local_site({PATH: Said(article_page()), "/law/gone": Said(status=500)}) as site:
        reports = synced(site, tmp_path, library, catalogue=catalogue, told=told.append)
    assert told == reports
    assert {r.instrument_id: r.outcome for r in reports} == {
        "yiqi-2022": "failed", "shiyan-2024": "first", "shiyan-2016": "skipped", "guancha-2020": "skipped",
        "jilu-2021": "skipped",
    }  # fmt: skip
    messages = {r.instrument_id: r.message for r in reports}
    assert "现行的是《试验工作条例》（shiyan-2024）" in messages["shiyan-2016"]
    assert messages["guancha-2020"] == "没有官方地址，跳过。"
    assert messages["jilu-2021"] == "官方地址只到网站首页，没有直达正文的地址，跳过。"


def test_a_superseded_instrument_is_synced_when_it_is_named(tmp_path: Path) -> None:
    words = (*ARTICLES[:5], "本条例自2016年1月1日起施行。")
    page = article_page(words).replace("2024年4月10日".encode(), "2015年12月10日".encode())
    page = page.replace("2024年4月20日".encode(), "2015年12月20日".encode())
    with local_site({"/2016/a.shtml": Said(page)}) as site:
        [report] = synced(site, tmp_path, Memory(), "shiyan-2016")
    assert report.outcome == "first", report.message


def test_an_unknown_id_is_said_and_each_id_is_done_once(tmp_path: Path) -> None:
    with local_site({PATH: Said(article_page())}) as site:
        reports = synced(site, tmp_path, Memory(), "shiyan-2024", "nichts", "shiyan-2024")
    assert [(r.instrument_id, r.outcome) for r in reports] == [("shiyan-2024", "first"), ("nichts", "failed")]
    assert "没有编号“nichts”" in reports[1].message


def test_a_dry_run_asks_nothing(tmp_path: Path) -> None:
    library = Memory()
    with local_site({PATH: Said(article_page())}) as site:
        [before] = synced(site, tmp_path, library, "shiyan-2024", dry_run=True)
        assert (before.outcome, site.asked) == ("planned", [])
        assert before.message == f"将从 https://{HOST}{PATH} 取得正文，还没有取过。"
        done = one(site, tmp_path, library)
        asked = len(site.asked)
        reports = synced(site, tmp_path, library, dry_run=True, look_up=True)
        assert len(site.asked) == asked
    assert [r.outcome for r in reports] == ["planned", "skipped", "planned", "skipped", "planned"]
    assert done.fetched is not None
    assert reports[0].message.endswith(f"上次取得是 {done.fetched:%Y-%m-%d}。")
    assert "检索" in reports[2].message
    assert len(library.texts) == 1


def test_offline_every_instrument_says_so(tmp_path: Path) -> None:
    with local_site({}) as site:
        pass
    reports = synced(site, tmp_path, Memory(), "shiyan-2024", "yiqi-2022")
    assert [r.outcome for r in reports] == ["failed", "failed"]
    assert all(f"连不上 {HOST}" in r.message for r in reports)


def test_a_slow_site_is_said(tmp_path: Path) -> None:
    with local_site({PATH: Said(article_page(), after=1.5)}) as site:
        report = one(site, tmp_path, Memory())
    assert report.outcome == "failed"
    assert "没有回答" in report.message


def test_an_interruption_keeps_what_was_stored(tmp_path: Path) -> None:
    told: list[SyncReport] = []
    library = Memory()

    def interrupted(report: SyncReport) -> None:
        told.append(report)
        raise KeyboardInterrupt

    with local_site({PATH: Said(article_page())}) as site, pytest.raises(KeyboardInterrupt):
        synced(site, tmp_path, library, "shiyan-2024", "yiqi-2022", told=interrupted)
    assert [r.outcome for r in told] == ["first"]
    assert len(library.texts["shiyan-2024"]) == 1


def test_a_library_that_cannot_write_is_said(tmp_path: Path) -> None:
    class Full(Memory):
        def store(self, *_: object) -> None:
            raise LibraryError("磁盘已满，没有写入，请清出空间后再试。")

    with local_site({PATH: Said(article_page())}) as site:
        report = one(site, tmp_path, Full())
    assert (report.outcome, report.message) == ("failed", "磁盘已满，没有写入，请清出空间后再试。")


def test_the_last_time_is_the_latest_of_all(tmp_path: Path) -> None:
    library = Memory()
    with local_site({PATH: Said(article_page())}) as site:
        one(site, tmp_path, library)
        stored, regulation, raw = library.texts["shiyan-2024"][0]
        later = datetime.now(UTC) + timedelta(days=400)
        library.texts["shiyan-2024"].insert(0, (Stored(later, stored.url), regulation, raw))
        assert one(site, tmp_path, library, dry_run=True).last_fetched == later


def test_only_hosts_of_the_catalogue_are_allowed() -> None:
    assert hosts_of(CATALOGUE) == {HOST}
