"""The stock as a whole: the catalogue, texts from an official site, documents, and what is told about them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from assistant import holdings
from assistant.adapters.library import Library
from assistant.adapters.official_site import Manners, OfficialSite
from assistant.documents.changes import in_words
from assistant.errors import DocumentError
from assistant.settings import Settings, load_settings
from tests.local_site import ARTICLES, TITLE, LocalSite, Said, article_page, local_site

PATH = "/2024/a.shtml"
INSTRUMENT = f"""instrument:
  id: shiyan-2024
  title: {TITLE}
  short_titles: [试验条例]
  issuer: 试验委员会
  kind: 党内法规
  rank: 2
  effective_from: 2024-05-01
  official_url: https://www.shiyan.test{PATH}
  article_count: {len(ARTICLES)}

provisions:
  - id: "1"
    topic: 目的
    digest: 说明为什么要定这部试验用的规定。
    confidence: verified
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A knowledge folder with an invented instrument, and a data folder of its own."""
    knowledge = tmp_path / "knowledge"
    (knowledge / "instruments").mkdir(parents=True)
    (knowledge / "instruments" / "shiyan-2024.yaml").write_text(INSTRUMENT, encoding="utf-8")
    shutil.copytree(load_settings().knowledge / "lexicon", knowledge / "lexicon")
    return load_settings(knowledge=knowledge, data=tmp_path / "data")


def synced(settings: Settings, pages: Mapping[str, Said], **how: bool) -> list[tuple[str, str]]:
    def ask(site: LocalSite) -> list[tuple[str, str]]:
        official = OfficialSite(
            ["www.shiyan.test"],
            settings.data / "pages",
            Manners(pause=0, timeout=2, back_off=0.01, attempts=2),
            search_url="https://search.shiyan.test/s.php",
            routes=dict.fromkeys(("www.shiyan.test", "search.shiyan.test"), site.base),
        )
        reports = holdings.sync(settings, ["shiyan-2024"], site=official, dry_run=how.get("dry_run", False))
        return [(r.outcome, r.message) for r in reports]

    with local_site(dict(pages)) as site:
        return ask(site)


def page(**changes: str) -> Said:
    return Said(article_page([changes.get(f"a{n}", words) for n, words in enumerate(ARTICLES, 1)]))


def test_a_synced_text_becomes_the_words_of_the_provisions(settings: Settings) -> None:
    assert holdings.stock(settings).provision("shiyan-2024#1").text is None
    ((outcome, _),) = synced(settings, {PATH: page()})
    assert outcome == "first"
    stock = holdings.stock(settings)
    held = stock.provision("shiyan-2024#1")
    assert held.digest.startswith("说明为什么")
    assert held.text == ARTICLES[0]
    assert stock.provision("shiyan-2024#2").text == ARTICLES[1], "an article that has no note"
    assert stock.provision("shiyan-2024#2").searched


def test_a_change_is_told_and_the_old_text_kept(settings: Settings) -> None:
    synced(settings, {PATH: page()})
    assert synced(settings, {PATH: page()})[0][0] == "same"
    changed = ARTICLES[1].replace("。", "，另有规定的除外。", 1)
    ((outcome, message),) = synced(settings, {PATH: page(a2=changed)})
    assert outcome == "changed"
    assert "旧文本已保留" in message
    history = Library(settings.data).history("shiyan-2024")
    assert len(history) == 2
    assert all(d.origin == "site" for d in history)
    assert holdings.stock(settings).provision("shiyan-2024#2").text == changed
    old, new, changes = holdings.compared(settings, "shiyan-2024")
    assert (old.id, new.id) == (history[1].id, history[0].id)
    assert "另有规定的除外" in in_words(changes)


def test_a_dry_run_asks_nothing_and_stores_nothing(settings: Settings) -> None:
    ((outcome, _),) = synced(settings, {}, dry_run=True)
    assert outcome == "planned"
    assert not Library(settings.data).documents()


def test_an_incomplete_page_never_takes_the_place_of_a_whole_one(settings: Settings) -> None:
    synced(settings, {PATH: page()})
    ((outcome, message),) = synced(settings, {PATH: Said(article_page(ARTICLES[:4]))})
    assert outcome == "refused"
    assert message
    assert holdings.stock(settings).provision("shiyan-2024#8").text == ARTICLES[7]


def test_a_file_does_not_outweigh_the_official_text(settings: Settings, tmp_path: Path) -> None:
    synced(settings, {PATH: page()})
    text = f"{TITLE}\n\n2024年4月1日 试验委员会印发\n\n" + "\n\n".join(
        f"第{n}条　{words.replace('试验', '实验', 1) if n == '二' else words}"
        for n, words in zip("一二三四五六七八", ARTICLES, strict=True)
    )
    (tmp_path / "旧本.txt").write_text(text, encoding="utf-8")
    (outcome,) = holdings.add(settings, [tmp_path / "旧本.txt"])
    assert (outcome.status, outcome.document and outcome.document.relation) == ("added", "same")
    assert holdings.stock(settings).provision("shiyan-2024#2").text == ARTICLES[1]
    assert [d.origin for d in Library(settings.data).history("shiyan-2024")] == ["site", "file"]


def test_what_cannot_be_compared_or_found_is_one_sentence(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="文档库里没有"):
        holdings.compared(settings, "shiyan-2024")
    synced(settings, {PATH: page()})
    with pytest.raises(DocumentError, match="只有一份原文"):
        holdings.compared(settings, "shiyan-2024")
    with pytest.raises(DocumentError, match="没有添加过文件"):
        holdings.save_originals(load_settings(data=tmp_path / "none"), tmp_path / "x.zip")
