"""References as people write them, on invented statutes; every provision of the real stock, there and back.

The notation of an expected reference, by its status:
    hua-2019#7.1.3      exists (* behind it: with a notice)
    无 hua-2019#99      no_such_provision
    旧 hua-2016#6       superseded, and hua-2019 replaced it
    外 园林法#3         unknown_instrument, with the title as written
    ? 第七条            unresolved, with the words
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pytest
import yaml

from assistant.errors import KnowledgeError
from assistant.law.addresses import write_address
from assistant.law.citations import Reference, find_references, format_reference, resolve
from assistant.law.corpus import Corpus, load_corpus

DAY = date(2026, 6, 1)

# id, title, short titles, from, to, replaced by, articles of the published text, provisions
STOCK = [
    ("hua-2016", "中国共产党护花条例", ["护花条例"], "2016-07-08", "2019-08-31", "hua-2019", 13, ""),
    (
        "hua-2019", "中国共产党护花条例", ["护花条例", "党内护花条例"], "2019-09-01", None, None, 27,
        "1 4 5 6 7.1.1 7.1.2 7.1.3 7.1.4 8.1 8.2 9 17.1.1 17.1.2 17.1.3 17.2 18.2.1 20 27",
    ),
    ("shui-2018", "中华人民共和国堤水法", ["堤水法"], "2018-03-20", "2025-05-31", "shui-2024", 69, "3 60"),
    ("shui-2024", "中华人民共和国堤水法", ["堤水法"], "2025-06-01", None, None, 78, "3 7 70"),
    (
        "shuishishi-2025", "中华人民共和国堤水法实施条例", ["堤水法实施条例"], "2025-06-01", None, None, None,
        "5 6 7",
    ),
    (
        "yuan-2009", "关于实行园丁问责的暂行规定", ["园丁问责暂行规定"], "2009-06-30", "2016-07-07",
        "hua-2016", 26, "5",
    ),
    ("ding-2020", "公职园丁处分法", ["园丁处分法"], "2020-07-01", None, None, 130, "7 14 120 120-1"),
    ("zuzhi-2021", "园丁组织处理规定（试行）", ["园丁组织处理规定"], "2021-03-19", None, None, 22, "3 7.1.1"),
    ("guo-2024", "中华人民共和国花木处分条例", ["国家花木处分条例"], "2024-09-01", None, None, 52, "7"),
    ("zheng-2007", "中国共产党花木处分条例", ["党内花木处分条例"], "2007-06-01", None, None, 55, "7"),
    ("zhang-2022", "中国共产党花园章程", ["园章"], "2022-10-22", None, None, 55, "4.1.8 44"),
    (
        "jieshi-2012", "关于堤水法第九条第二款的解释", ["堤水法第九条解释"], "2012-01-01", None, None, None,
        "n01 n02 n03",
    ),
    ("dai-2099", "园丁薪酬条例", ["薪酬条例"], "2099-01-01", None, None, 30, "3"),
]  # fmt: skip


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("knowledge")
    (folder / "instruments").mkdir()
    for id, title, shorts, since, until, successor, count, provisions in STOCK:
        row = {"id": id, "title": title, "short_titles": shorts, "issuer": "花园", "kind": "法律", "rank": 2}
        row |= {"effective_from": date.fromisoformat(since)}
        if until:
            row |= {"effective_to": date.fromisoformat(until), "replaced_by": successor}
        if count:
            row["article_count"] = count
        topics = {key: "同题" if key in ("n02", "n03") else f"题{key}" for key in provisions.split()}
        stored = [
            {"id": key, "topic": topic, "digest": "护花。", "confidence": "verified"}
            for key, topic in topics.items()
        ]
        path = folder / "instruments" / f"{id}.yaml"
        path.write_text(
            yaml.safe_dump({"instrument": row, "provisions": stored}, allow_unicode=True), "utf-8"
        )
    return load_corpus(folder)


def shown(references: Iterable[Reference]) -> list[str]:
    return [_shown(reference) for reference in references]


def _shown(r: Reference) -> str:
    address = "#" + ".".join(str(p) for p in (r.article, r.paragraph, r.item) if p) if r.article else ""
    if r.status == "exists":
        return (r.provision_id or r.instrument_id or "") + ("*" if r.notice else "")
    if r.status == "no_such_provision":
        return f"无 {r.instrument_id}{address}"
    if r.status == "superseded":
        return f"旧 {r.instrument_id}{address}"
    return f"外 {r.title_written}{address}" if r.status == "unknown_instrument" else f"? {r.text}"


# fmt: off
CASES: list[tuple[str, list[str]]] = [
    # titles: full, short, without prefix, with and without brackets, in other characters
    ("《中国共产党护花条例》第七条第（三）项", ["hua-2019#7.1.3"]),
    ("《护花条例》第七条第（三）项", ["hua-2019#7.1.3"]),
    ("护花条例第七条第（三）项", ["hua-2019#7.1.3"]),
    ("中国共产党护花条例第七条第三项", ["hua-2019#7.1.3"]),
    ("中共护花条例第七条第三项", ["hua-2019#7.1.3"]),
    ("党内护花条例第九条", ["hua-2019#9"]),
    ("〈护花条例〉第九条", ["hua-2019#9"]),
    ("<护花条例>第九条", ["hua-2019#9"]),
    ("<<护花条例>>第九条", ["hua-2019#9"]),
    ("“护花条例”第九条", ["hua-2019#9"]),
    ("依据護花條例第九條處理", ["hua-2019#9"]),
    ("《護花條例》第七條第（三）項", ["hua-2019#7.1.3"]),
    ("护 花 条 例 第 9 条", ["hua-2019#9"]),
    ("护花\n条例第七\n条第（三）\n项", ["hua-2019#7.1.3"]),
    ("《堤水法》第三条", ["shui-2024#3"]),
    ("中华人民共和国堤水法第三条", ["shui-2024#3"]),
    ("园丁组织处理规定第三条", ["zuzhi-2021#3"]),
    ("《园丁组织处理规定（试行）》第三条", ["zuzhi-2021#3"]),
    ("《园丁组织处理规定》（试行）第三条", ["zuzhi-2021#3"]),
    ("《实行园丁问责的暂行规定》", ["旧 yuan-2009"]),
    ("园章第四条第八项", ["zhang-2022#4.1.8"]),
    ("《花园章程》第四十四条", ["zhang-2022#44"]),
    ("按护花条例处理", ["hua-2019"]),
    ("《护花条例》", ["hua-2019"]),
    # numerals
    ("护花条例第7条第3项", ["hua-2019#7.1.3"]),
    ("护花条例第７条第（３）项", ["hua-2019#7.1.3"]),
    ("护花条例第7条第(3)项", ["hua-2019#7.1.3"]),
    ("护花条例第7条第1款第(3)项", ["hua-2019#7.1.3"]),
    ("护花条例第七条第㈢项", ["hua-2019#7.1.3"]),
    ("护花条例第七条第③项", ["hua-2019#7.1.3"]),
    ("护花条例7条3项", ["hua-2019#7.1.3"]),
    ("护花条例七条三项", ["hua-2019#7.1.3"]),
    ("护花条例第7条3项", ["hua-2019#7.1.3"]),
    ("护花条例第七条（三）", ["hua-2019#7.1.3"]),
    ("护花条例第7条(3)", ["hua-2019#7.1.3"]),
    ("护花条例第7条（一）（三）", ["hua-2019#7.1.1", "hua-2019#7.1.3"]),
    ("护花条例第十七条第二款", ["hua-2019#17.2"]),
    ("护花条例第二十七条", ["hua-2019#27"]),
    ("园丁处分法第一百二十条", ["ding-2020#120"]),
    ("园丁处分法第一百二十条之一", ["ding-2020#120-1"]),
    ("园丁处分法第120条之一", ["ding-2020#120-1"]),
    ("园丁处分法第１２０条之１", ["ding-2020#120-1"]),
    ("园丁处分法第120-1条", ["ding-2020#120-1"]),
    # words between the title and the article, and between the parts
    ("护花条例的第七条第三项", ["hua-2019#7.1.3"]),
    ("护花条例中第七条的第三项", ["hua-2019#7.1.3"]),
    ("《护花条例》，第七条", ["hua-2019#7"]),
    ("《护花条例》规定的第七条", ["hua-2019#7"]),
    ("护花条例里的第九条怎么说", ["hua-2019#9"]),
    ("护花条例：第九条", ["hua-2019#9"]),
    ("护花条例第三章第九条", ["hua-2019#9"]),
    ("领导拿护花条例第九条压我", ["hua-2019#9"]),
    ("护花条例规定，第七条是情形", ["hua-2019", "? 第七条"]),
    # paragraphs and items: where the stock is coarser or lacks them
    ("护花条例第八条第一款", ["hua-2019#8.1"]),
    ("护花条例第八条", ["hua-2019#8"]),
    ("护花条例第七条第一款", ["hua-2019#7.1"]),
    ("护花条例第九条第二款", ["hua-2019#9*"]),
    ("护花条例第九条第（二）项", ["hua-2019#9*"]),
    ("护花条例第七条第（十五）项", ["无 hua-2019#7.15"]),
    ("护花条例第八条第三款", ["无 hua-2019#8.3"]),
    ("护花条例第十八条第（一）项", ["hua-2019#18.2.1"]),
    ("护花条例第十八条第二款第（一）项", ["hua-2019#18.2.1"]),
    ("护花条例第七条第（三）项第1目", ["hua-2019#7.1.3*"]),
    # lists and ranges
    ("护花条例第七、八条", ["hua-2019#7", "hua-2019#8"]),
    ("护花条例第七条、第八条", ["hua-2019#7", "hua-2019#8"]),
    ("护花条例第七条、第八条第二款", ["hua-2019#7", "hua-2019#8.2"]),
    ("护花条例第七条和第八条第二款", ["hua-2019#7", "hua-2019#8.2"]),
    ("护花条例第七条，第八条", ["hua-2019#7", "hua-2019#8"]),
    ("护花条例第7,8条", ["hua-2019#7", "hua-2019#8"]),
    ("护花条例第7、8、9条", ["hua-2019#7", "hua-2019#8", "hua-2019#9"]),
    ("护花条例第四条至第六条", ["hua-2019#4", "hua-2019#5", "hua-2019#6"]),
    ("护花条例第四至六条", ["hua-2019#4", "hua-2019#5", "hua-2019#6"]),
    ("护花条例第4-6条", ["hua-2019#4", "hua-2019#5", "hua-2019#6"]),
    ("护花条例第4～6条", ["hua-2019#4", "hua-2019#5", "hua-2019#6"]),
    ("护花条例第四条到第五条", ["hua-2019#4", "hua-2019#5"]),
    ("护花条例第七条第（一）（三）项", ["hua-2019#7.1.1", "hua-2019#7.1.3"]),
    ("护花条例第七条第（一）、（三）项", ["hua-2019#7.1.1", "hua-2019#7.1.3"]),
    ("护花条例第七条第一、三项", ["hua-2019#7.1.1", "hua-2019#7.1.3"]),
    ("护花条例第七条第一项、第三项", ["hua-2019#7.1.1", "hua-2019#7.1.3"]),
    ("护花条例第七条第1项、第2项或者第4项", ["hua-2019#7.1.1", "hua-2019#7.1.2", "hua-2019#7.1.4"]),
    ("护花条例第十七条第（一）至（三）项", ["hua-2019#17.1.1", "hua-2019#17.1.2", "hua-2019#17.1.3"]),
    ("护花条例第十七条第（一）项至第（三）项", ["hua-2019#17.1.1", "hua-2019#17.1.2", "hua-2019#17.1.3"]),
    ("护花条例第十七条第（一）项、第二款", ["hua-2019#17.1.1", "hua-2019#17.2"]),
    ("护花条例第八条第一款、第二款", ["hua-2019#8.1", "hua-2019#8.2"]),
    ("护花条例第八条第一、二款和第九条", ["hua-2019#8.1", "hua-2019#8.2", "hua-2019#9"]),
    ("护花条例第八条第一款至第二款", ["hua-2019#8.1", "hua-2019#8.2"]),
    ("护花条例第九条、堤水法第三条", ["hua-2019#9", "shui-2024#3"]),
    ("《护花条例》第九条和《堤水法》第三条、第七条", ["hua-2019#9", "shui-2024#3", "shui-2024#7"]),
    ("园丁处分法第一百二十条、第一百二十条之一", ["ding-2020#120", "ding-2020#120-1"]),
    # versions
    ("《护花条例》（2016年）第六条", ["旧 hua-2016#6"]),
    ("《护花条例》（2016）第六条", ["旧 hua-2016#6"]),
    ("《护花条例》（2016年印发）第六条", ["旧 hua-2016#6"]),
    ("护花条例2016年版第六条", ["旧 hua-2016#6"]),
    ("2016年版护花条例第六条", ["旧 hua-2016#6"]),
    ("2016年《护花条例》第六条", ["旧 hua-2016#6"]),
    ("二〇一六年版护花条例第六条", ["旧 hua-2016#6"]),
    ("《2016年护花条例》第六条", ["旧 hua-2016#6"]),
    ("2016年7月印发的《护花条例》第六条", ["旧 hua-2016#6"]),
    ("旧护花条例第六条", ["旧 hua-2016#6"]),
    ("原《护花条例》第六条", ["旧 hua-2016#6"]),
    ("修订前的护花条例第六条", ["旧 hua-2016#6"]),
    ("《护花条例》（旧）第六条", ["旧 hua-2016#6"]),
    ("2019年修订的护花条例第六条", ["hua-2019#6"]),
    ("新修订的护花条例第六条", ["hua-2019#6"]),
    ("现行护花条例第六条", ["hua-2019#6"]),
    ("修订后的《护花条例》第六条", ["hua-2019#6"]),
    ("2018年版堤水法第六十条", ["旧 shui-2018#60"]),
    ("《堤水法》（2024年修正）第七十条", ["shui-2024#70"]),
    ("2025年堤水法第七十条", ["shui-2024#70"]),
    ("2021年护花条例第九条", ["hua-2019#9"]),  # a date, not a version: there is none of that year
    ("2012年版护花条例第九条", ["外 护花条例#9"]),
    ("2016年版护花条例第二十条", ["无 hua-2016#20"]),  # it had 13 articles; never guessed to mean the new one
    ("护花条例第二十条", ["hua-2019#20"]),
    ("《关于实行园丁问责的暂行规定》第五条", ["旧 yuan-2009#5"]),
    ("《护花条例》（中发〔2019〕12号）第九条", ["hua-2019#9"]),
    ("薪酬条例第三条", ["dai-2099#3*"]),  # not in force yet
    # what does not exist and what is not in stock
    ("护花条例第九十九条", ["无 hua-2019#99"]),
    ("护花条例第二十八条", ["无 hua-2019#28"]),
    ("护花条例第十条", ["无 hua-2019#10"]),
    ("护花条例第〇条", ["无 hua-2019#0"]),
    ("堤水法实施条例第三百条", ["无 shuishishi-2025#300"]),
    ("园丁处分法第七条之一", ["无 ding-2020#7-1"]),
    # titles the stock does not hold
    ("《某某办法》第三条", ["外 某某办法#3"]),
    ("根据园林管理办法第三条", ["外 园林管理办法#3"]),
    ("违反了《园林法》第三条第二款", ["外 园林法#3.2"]),
    ("《园林法》和《护花条例》第九条", ["外 园林法", "hua-2019#9"]),
    ("《花园日报》第三版", []),
    # titles that contain one another
    ("堤水法实施条例第五条", ["shuishishi-2025#5"]),
    ("堤水法第七条和堤水法实施条例第七条", ["shui-2024#7", "shuishishi-2025#7"]),
    ("堤水法实施细则第五条", ["外 堤水法实施细则#5"]),
    ("《堤水法实施办法》第五条", ["外 堤水法实施办法#5"]),
    ("某某省护花条例第九条", ["外 某某省护花条例#9"]),
    ("《贯彻〈护花条例〉的意见》第三条", ["外 贯彻〈护花条例〉的意见#3"]),
    ("关于堤水法第九条第二款的解释", ["jieshi-2012"]),
    ("花木处分条例第七条", ["? 花木处分条例第七条"]),  # two instruments bear the name
    ("国家花木处分条例第七条", ["guo-2024#7"]),
    ("堤水法规第三条", ["? 第三条"]),
    # words that point back
    ("《护花条例》第九条。该条例第七条", ["hua-2019#9", "hua-2019#7"]),
    ("《护花条例》第九条，同条例第七条", ["hua-2019#9", "hua-2019#7"]),
    ("《堤水法》第三条。该法第七条", ["shui-2024#3", "shui-2024#7"]),
    ("《护花条例》和《国家花木处分条例》都有，该条例第七条", ["hua-2019", "guo-2024", "? 该条例第七条"]),
    ("《堤水法》和《护花条例》都有，该条例第七条", ["shui-2024", "hua-2019", "hua-2019#7"]),
    ("该条例第七条", ["? 该条例第七条"]),
    ("本条例第七条", ["? 本条例第七条"]),
    ("《护花条例》第八条第一款，同条第二款", ["hua-2019#8.1", "hua-2019#8.2"]),
    ("同条第二款", ["? 同条第二款"]),
    ("《护花条例》第七条第（三）项，前款规定的", ["hua-2019#7.1.3", "hua-2019#7"]),
    ("《护花条例》第十七条第二款。前款规定", ["hua-2019#17.2", "hua-2019#17.2"]),
    ("《护花条例》第七条，前款第（三）项", ["hua-2019#7", "hua-2019#7.1.3"]),
    ("前款规定的", ["? 前款"]),
    ("《中国共产党护花条例》（以下简称《条例》）第七条。按《条例》第九条", ["hua-2019#7", "hua-2019#9"]),
    ("《堤水法》（下称“水法”）第三条，《水法》第七条", ["shui-2024#3", "shui-2024#7"]),
    ("《园林条例》（简称《条例》）第三条。《条例》第九条", ["外 园林条例#3", "外 园林条例#9"]),
    ("《护花条例》第七条。《条例》第九条", ["hua-2019#7", "hua-2019#9"]),
    ("护花条例第七条。按规定第三条", ["hua-2019#7", "? 规定第三条"]),
    # without a title
    ("第七条", ["? 第七条"]),
    ("第七条、第八条第二款", ["? 第七条", "? 第八条第二款"]),
    # ids
    ("hua-2019#7.1.3", ["hua-2019#7.1.3"]),
    ("见hua-2019#7.1.3。", ["hua-2019#7.1.3"]),
    ("ding-2020#120-1、hua-2019#7", ["ding-2020#120-1", "hua-2019#7"]),
    ("hua-2019#99", ["无 hua-2019#99"]),
    ("hua-2016#6", ["旧 hua-2016#6"]),
    ("mei-2019#7", ["外 None"]),
    ("jieshi-2012#n01", ["jieshi-2012#n01"]),
    ("jieshi-2012#n09", ["无 jieshi-2012"]),
    # no references
    ("第一项工作，第二款车，第三款项目", []),
    ("第三条道路，第二条线索，第一条建议", []),
    ("《关于落实护花条例第七条情况的汇报》", []),
    ("依法办事，办法总比困难多，按规定执行", []),
    ("7条意见，三项措施，一条狗", []),
    ("护花条例27条内容", ["hua-2019"]),
    ("2019年9月1日，共7项3款", []),
    ("《护花条例", ["hua-2019"]),
    ("", []),
]
# fmt: on


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[f"{n:03}" for n in range(1, len(CASES) + 1)])
def test_references_are_found(stock: Corpus, text: str, expected: list[str]) -> None:
    found = find_references(text, stock, DAY)
    assert shown(found) == expected
    for reference in found:
        assert reference.text == text[reference.start : reference.end]
        assert (reference.status == "exists") or reference.notice.endswith("。")


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        ("第七条", "hua-2019", ["hua-2019#7"]),
        ("第七条、第九条", "hua-2019", ["hua-2019#7", "hua-2019#9"]),
        ("本条例第七条", "hua-2019", ["hua-2019#7"]),
        ("本法第七条", "hua-2019", ["? 本法第七条"]),
        ("该条例第七条", "hua-2019", ["hua-2019#7"]),
        ("条例第七条", "hua-2019", ["hua-2019#7"]),
        (
            "《堤水法》第三条，又第七条",
            "hua-2019",
            ["shui-2024#3", "? 第七条"],
        ),  # two candidates in a sentence
        ("《堤水法》第三条。第七条", "hua-2019", ["shui-2024#3", "hua-2019#7"]),
        ("《园林法》第七条", "hua-2019", ["外 园林法#7"]),
        ("园林管理办法第七条", "hua-2019", ["外 园林管理办法#7"]),
        ("第三条道路", "hua-2019", []),
        ("第七条", "nothing", ["? 第七条"]),
    ],
)
def test_a_context_answers_for_bare_articles(
    stock: Corpus, text: str, context: str, expected: list[str]
) -> None:
    assert shown(find_references(text, stock, DAY, context)) == expected


@pytest.mark.parametrize(
    ("day", "text", "expected"),
    [
        (date(2019, 8, 31), "护花条例第六条", "无 hua-2016#6"),  # in force then, but not in stock
        (date(2019, 9, 1), "护花条例第六条", "hua-2019#6"),
        (date(2025, 5, 31), "堤水法第三条", "shui-2018#3"),
        (date(2025, 6, 1), "堤水法第三条", "shui-2024#3"),
        (date(2025, 5, 31), "2018年版堤水法第三条", "shui-2018#3"),
        (date(2025, 6, 1), "2018年版堤水法第三条", "旧 shui-2018#3"),
        (date(2025, 5, 31), "2024年堤水法第三条", "shui-2024#3*"),  # passed, not in force yet
        (date(2016, 7, 7), "《关于实行园丁问责的暂行规定》第五条", "yuan-2009#5"),
        (date(2016, 7, 8), "《关于实行园丁问责的暂行规定》第五条", "旧 yuan-2009#5"),
        (date(2000, 1, 1), "护花条例第六条", "无 hua-2016#6"),
        (date(2023, 1, 1), "花木处分条例第七条", "zheng-2007#7"),  # the other one came later
    ],
)
def test_the_day_chooses_the_version(stock: Corpus, day: date, text: str, expected: str) -> None:
    assert shown(find_references(text, stock, day)) == [expected]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("护花条例第九十九条", "共27条，没有第九十九条"),
        ("护花条例第十条", "没有收录《中国共产党护花条例》（2019年）第十条，不能确认"),
        ("堤水法实施条例第三百条", "不能确认"),
        (
            "护花条例第七条第（十五）项",
            "收录了《中国共产党护花条例》（2019年）第七条，但没有第七条第（十五）项",
        ),
        ("2016年版护花条例第六条", "自2019年8月31日后不再适用，应查《中国共产党护花条例》（2019年）"),
        ("2012年版护花条例第六条", "没有《中国共产党护花条例》2012年的版本（收录的是2016年、2019年版）"),
        ("《园林法》第三条", "没有收录《园林法》"),
        ("花木处分条例第七条", "可能指《中华人民共和国花木处分条例》、《中国共产党花木处分条例》"),
        ("薪酬条例第三条", "自2099年1月1日起施行，2026年6月1日时还没有施行"),
        ("第七条", "没有写明是哪部法规的第七条"),
        ("mei-2019#7", "没有编号为“mei-2019”的法规"),
    ],
)
def test_the_notice_says_why(stock: Corpus, text: str, words: str) -> None:
    (found,) = find_references(text, stock, DAY)
    assert words in found.notice


def test_a_missing_item_still_leads_to_its_article(stock: Corpus) -> None:
    (found,) = find_references("护花条例第七条第（十五）项", stock, DAY)
    assert (found.status, found.provision_id) == ("no_such_provision", "hua-2019#7")


def test_a_superseded_version_names_its_successor(stock: Corpus) -> None:
    found = find_references("旧护花条例第六条；《关于实行园丁问责的暂行规定》", stock, DAY)
    assert [r.replaced_by for r in found] == ["hua-2019", "hua-2016"]


def test_offsets_are_those_of_the_original(stock: Corpus) -> None:
    text = "  依据 ︰《護 花\n條例》第 ７ 條第 ( 3 ) 項 ，处理"
    (found,) = find_references(text, stock, DAY)
    assert found.text == "《護 花\n條例》第 ７ 條第 ( 3 ) 項" == text[found.start : found.end]
    assert (found.provision_id, found.title_written) == ("hua-2019#7.1.3", "护花条例")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("护花条例第七条第三项", "hua-2019#7.1.3"),
        (" 护花条例第七条 ", "hua-2019#7"),
        ("hua-2019#7.1.3", "hua-2019#7.1.3"),
        ("《护花条例》", "hua-2019"),
        ("《关于堤水法第九条第二款的解释》（条号待核）：题n01", "jieshi-2012#n01"),
        ("堤水法第九条解释（条号待核）：题n01", "jieshi-2012#n01"),
        ("护花条例第七条、第八条", "? 护花条例第七条、第八条"),
        ("没有引用", "? 没有引用"),
        ("", "? "),
    ],
)
def test_one_label_is_resolved(stock: Corpus, label: str, expected: str) -> None:
    assert _shown(resolve(label, stock, DAY)) == expected


@pytest.mark.parametrize(
    ("id", "full", "short"),
    [
        ("hua-2019#7.1.3", "《中国共产党护花条例》第七条第（三）项", "护花条例第七条第（三）项"),
        (
            "hua-2019#18.2.1",
            "《中国共产党护花条例》第十八条第二款第（一）项",
            "护花条例第十八条第二款第（一）项",
        ),
        ("ding-2020#120-1", "《公职园丁处分法》第一百二十条之一", "园丁处分法第一百二十条之一"),
        ("hua-2016#6", "《中国共产党护花条例》（2016年）第六条", "护花条例（2016年）第六条"),
        ("hua-2019#26.1.2", "《中国共产党护花条例》第二十六条第（二）项", "护花条例第二十六条第（二）项"),
        ("hua-2019", "《中国共产党护花条例》", "护花条例"),
        (
            "jieshi-2012#n02",
            "《关于堤水法第九条第二款的解释》（条号待核）：同题〔n02〕",
            "堤水法第九条解释（条号待核）：同题〔n02〕",
        ),
    ],
)  # fmt: skip
def test_references_are_written_out(stock: Corpus, id: str, full: str, short: str) -> None:
    assert (format_reference(id, stock), format_reference(id, stock, short=True)) == (full, short)


@pytest.mark.parametrize("id", ["mei-2019#7", "hua-2019#n09", "hua-2019#x", ""])
def test_what_is_no_id_cannot_be_written_out(stock: Corpus, id: str) -> None:
    with pytest.raises(KnowledgeError, match="不是知识库里的条款编号"):
        format_reference(id, stock)


def test_there_and_back_with_invented_statutes(stock: Corpus) -> None:
    for provision in stock.provisions():
        day = min(DAY, provision.instrument.effective_to or DAY)
        day = max(day, provision.instrument.effective_from or day)
        for short in (False, True):
            found = resolve(format_reference(provision, stock, short), stock, day)
            assert (found.provision_id, found.status) == (provision.id, "exists")


def test_there_and_back_with_the_real_stock(corpus: Corpus) -> None:
    lost = [
        label
        for provision in corpus.provisions()
        for short in (False, True)
        if resolve(label := format_reference(provision, corpus, short), corpus, DAY).provision_id
        != provision.id
    ]
    assert lost == []


@pytest.mark.parametrize("paragraph", [None, 1, 2, 11])
@pytest.mark.parametrize("item", [None, 1, 10, 23])
def test_every_address_is_read_as_it_is_written(
    stock: Corpus, paragraph: int | None, item: int | None
) -> None:
    for number in (*range(1, 131, 7), 101, 110, 120):
        for sub in ("", "-1", "-12"):
            written = "园丁处分法" + write_address(f"{number}{sub}", paragraph, item)
            (found,) = find_references(f"按{written}处理", stock, DAY)
            assert (found.article, found.paragraph, found.item) == (f"{number}{sub}", paragraph, item)
            assert found.text == written


def test_long_texts_are_read_quickly(stock: Corpus) -> None:
    text = "依据《护花条例》第七条第（三）项和" * 300 + "第" * 500 + "（一）" * 300 + "一、" * 500
    assert len(find_references(text, stock, DAY)) == 300
