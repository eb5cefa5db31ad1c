"""``zeming kb``: looks after the knowledge base. Reads input, shows output; ``assistant.cli`` has the ``except``.

Each command takes ``--json`` and then prints one value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from assistant.errors import DocumentError, InputFileError, RecordsError
from assistant.settings import Settings, load_settings
from assistant.terminal import as_day, err, out, progress

if TYPE_CHECKING:
    from assistant.importing import Outcome
    from assistant.law.coverage import Row
    from assistant.model import Document, Provision
    from assistant.syncing import SyncReport

kb = typer.Typer(help="知识库：添加文件、查看、检索、核对、同步、导出。", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Day = Annotated[str | None, typer.Option("--date", help="按哪一天有效的版本，如 2026-03-01")]
_STATUS = {"added": "已添加", "known": "已有", "failed": "没有添加"}
_SYNCED = {
    "planned": "将取",
    "skipped": "跳过",
    "first": "首次取得",
    "same": "没有变化",
    "changed": "有变化",
    "refused": "没有采用",
    "failed": "没有取到",
}
_KINDS = {"regulation": "法规", "interpretation": "官方解读", "commentary": "评论文章"}


@kb.command("add")
def kb_add(
    paths: Annotated[list[Path], typer.Argument(help="文件、文件夹或 ZIP（PDF、DOCX、HTML、MD、TXT）")],
    kind: Annotated[
        Literal["auto", "regulation", "interpretation", "commentary"],
        typer.Option(
            help="按什么收：auto 自动判断，regulation 法规，interpretation 官方解读，commentary 评论"
        ),
    ] = "auto",
    as_json: Json = False,
) -> None:
    """添加文件：法规按条收，文章按段收，答复时会引用。"""
    from assistant import holdings

    settings = load_settings()
    with _told(as_json, "正在读文件") as told:
        outcomes = holdings.add(settings, paths, kind, told)
    _noted(settings, "添加", [o.name for o in outcomes if o.status == "added"])
    _report(outcomes, as_json)


@kb.command("reread")
def kb_reread(as_json: Json = False) -> None:
    """用现在的程序和目录重新整理已添加的文件（原件都留着）。"""
    from assistant import holdings

    settings = load_settings()
    with _told(as_json, "正在重新整理") as told:
        outcomes = holdings.reread(settings, told)
    _noted(settings, "重新整理", [""])
    _report(outcomes, as_json)


def _noted(settings: Settings, what: str, names: Iterable[str]) -> None:
    """Write a change into the log of changes. A log that cannot be written is said, and undoes nothing."""
    from assistant.records.audit import Audit
    from assistant.records.store import open_store

    try:
        with closing(open_store(settings)) as store:
            log = Audit(store, lambda: datetime.now(UTC))
            for name in names:
                log.note("命令行", f"知识库：{what}", name)
    except RecordsError as error:
        err.print(f"这次改动没有写进变动记录：{error}", markup=False)


def _report(outcomes: Iterable[Outcome], as_json: bool) -> None:
    """What became of the files; the index is brought up to date where something changed."""
    from assistant.wiring import build

    outcomes = list(outcomes)
    counts = {status: sum(o.status == status for o in outcomes) for status in _STATUS}
    if counts["added"]:
        build(load_settings(), progress=progress)
    if as_json:
        rows = [
            {
                "name": o.name,
                "status": o.status,
                "sentence": o.sentence,
                "document": _document(o.document) if o.document else None,
            }
            for o in outcomes
        ]
        _print(rows)
    elif not outcomes:
        err.print("没有找到可以添加的文件（支持 PDF、DOCX、HTML、MD、TXT 和 ZIP）。", markup=False)
    else:
        said = "，".join(f"{_STATUS[status]} {count}" for status, count in counts.items() if count)
        err.print(f"共 {len(outcomes)} 个文件：{said}。", markup=False)
    if (counts["failed"] and not counts["added"] and not counts["known"]) or not outcomes:
        raise typer.Exit(1)


@kb.command("list")
def kb_list(
    documents: Annotated[bool, typer.Option("--documents", help="只列添加的文件")] = False,
    as_json: Json = False,
) -> None:
    """列出目录里的法规和添加的文件。"""
    from assistant import holdings

    settings = load_settings()
    held = [d for d in holdings.library_of(settings).documents() if d.origin != "package" or as_json]
    rows = [] if documents else holdings.listing(holdings.stock(settings))
    if as_json:
        value: dict[str, Any] = {"documents": [_document(d) for d in held]}
        if not documents:
            value["instruments"] = [_instrument(row) for row in rows]
        _print(value)
        return
    if rows:
        out.print(f"法规 {len(rows)} 部", style="bold", markup=False)
        for row in rows:
            i = row.instrument
            state = (
                f"{i.effective_to} 起失效" if i.effective_to else f"{i.effective_from or '施行日期待核'} 起"
            )
            parts = [f"要旨 {row.provisions} 条", f"其中待核 {row.unverified}" if row.unverified else ""]
            parts += [f"原文 {row.with_text} 条" if row.with_text else ""]
            out.print(f"{i.id}  《{i.title}》  {state}  {'，'.join(filter(None, parts))}", markup=False)
        out.print("")
    out.print(f"添加的文件 {len(held)} 份", style="bold", markup=False)
    for d in held:
        size = f"{d.articles} 条" if d.articles else f"{d.passages} 段"
        out.print(
            f"{d.id}  {_KINDS[d.kind]}《{d.title}》  {size}  {d.added:%Y-%m-%d}  {d.name}", markup=False
        )


@kb.command("show")
def kb_show(
    reference: Annotated[str, typer.Argument(help="编号或叫法，如 wenze-2019#7.1.3 或 问责条例第七条第三项")],
    day: Day = None,
    as_json: Json = False,
) -> None:
    """看一条规定：要旨、原文、效力、出处。"""
    from assistant import holdings

    on = as_day(day, "--date") or date.today()
    corpus = holdings.stock(load_settings())
    provision, notice = holdings.found(corpus, reference, on)
    if as_json:
        _print(_provision(provision, on) | {"notice": notice})
        return
    instrument = provision.instrument
    lines = [provision.label + ("（待核）" if provision.confidence == "memory" else "")]
    lines += [f"注意：{notice}"] if notice else []
    lines += [f"编号：{provision.id}", f"主题：{provision.topic}"]
    lines += [f"要旨：{provision.digest}"] if provision.digest else []
    lines += [f"原文：{provision.text}"] if provision.text else []
    if instrument.authority == "rule":
        since = instrument.effective_from.isoformat() if instrument.effective_from else "施行日期待核"
        until = f"，至 {instrument.effective_to} 止" if instrument.effective_to else ""
        lines.append(f"效力：自 {since} 起{until}；{on} {'有效' if instrument.in_force(on) else '不适用'}")
    lines += [f"说明：{instrument.caution}"] if instrument.caution else []
    lines += [f"官方地址：{provision.source_url}"] if provision.source_url else []
    labels = [p.label for p in map(corpus.get, provision.cross_refs) if p]
    lines += [f"相关：{'、'.join(labels)}"] if labels else []
    out.print("\n".join(lines), markup=False)


@kb.command("check")
def kb_check(
    details: Annotated[bool, typer.Option("--details", help="逐部列出，并说明国家法律原文的版本")] = False,
    as_json: Json = False,
) -> None:
    """检查知识库：写法、编号、引用、日期，并报告收录和核对的情况。"""
    from assistant import holdings
    from assistant.law.coverage import lines, plain
    from assistant.wiring import check_all, coverage_of

    settings = load_settings()
    problems, counts = check_all(settings)
    report = None if problems else coverage_of(settings, date.today())
    if as_json:
        rows = [{"file": p.file, "line": p.line, "message": str(p)} for p in problems]
        laws = holdings.law_notes(settings)
        loose = holdings.loose_notes(settings) if report else ()
        covered = report and plain(report)
        _print({"problems": rows, "counts": counts, "coverage": covered, "laws": laws, "loose": loose})
    else:
        for problem in problems:
            err.print(str(problem), markup=False)
        if problems:
            err.print(f"共 {len(problems)} 处问题，请逐条改正。", markup=False)
        else:
            said = "，".join(f"{name} {count}" for name, count in counts.items())
            out.print(f"知识库检查通过：{said}。", markup=False)
    if report and not as_json:
        for line in lines(report):
            out.print(line, markup=False)
        if details:
            for row in report.rows:
                out.print(_row(row), markup=False)
            for sentence in (*holdings.law_notes(settings), *holdings.loose_notes(settings)):
                out.print(sentence, markup=False)
    if problems:
        raise typer.Exit(1)


@kb.command("search")
def kb_search(
    words: Annotated[list[str], typer.Argument(help="要找的话")],
    most: Annotated[int, typer.Option("-n", min=1, max=100, help="最多几条")] = 10,
    day: Day = None,
    as_json: Json = False,
) -> None:
    """在规定、解读和添加的文件里检索。"""
    from assistant.wiring import build

    on = as_day(day, "--date") or date.today()
    parts = build(load_settings(), progress=progress)
    found = parts.search(" ".join(words), most, on)
    if as_json:
        _print([_provision(p, on) for p in found])
        return
    if not found:
        err.print("没有找到相关的内容，请换个说法。", markup=False)
    for p in found:
        out.print(p.label, style="bold", markup=False)
        out.print(f"{p.id}  {_short(p.digest or p.text or '')}", markup=False)


@kb.command("remove")
def kb_remove(
    ids: Annotated[list[str], typer.Argument(help="文件编号，见 zeming kb list")], as_json: Json = False
) -> None:
    """移除添加的文件，连同原件。"""
    from assistant import holdings
    from assistant.wiring import build

    settings = load_settings()
    gone = holdings.remove(settings, ids)
    _noted(settings, "移除", [document.name for document in gone])
    build(settings, progress=progress)
    if as_json:
        _print([_document(d) for d in gone])
        return
    for d in gone:
        err.print(f"已移除“{d.name}”（{d.id}）。", markup=False)


@kb.command("edit")
def kb_edit(
    id: Annotated[str, typer.Argument(help="文件编号，见 zeming kb list")],
    title: Annotated[str | None, typer.Option(help="名称")] = None,
    issuer: Annotated[str | None, typer.Option(help="制定机关")] = None,
    kind: Annotated[str | None, typer.Option(help="类别，如 规范性文件、部门规章、评论文章")] = None,
    rank: Annotated[int | None, typer.Option(help="位阶：1 最高 … 5 规范性文件，6 官方解读，7 评论")] = None,
    begin: Annotated[str | None, typer.Option("--from", help="施行日期")] = None,
    end: Annotated[str | None, typer.Option("--to", help="失效日期")] = None,
    author: Annotated[str | None, typer.Option(help="作者")] = None,
    published: Annotated[str | None, typer.Option(help="发表日期")] = None,
    as_json: Json = False,
) -> None:
    """改正从文件里读出的名称、机关、位阶、日期。"""
    from assistant import holdings
    from assistant.importing import Correction
    from assistant.wiring import build

    correction = Correction(
        title, issuer, kind, rank, as_day(begin, "--from"), as_day(end, "--to"), author,
        as_day(published, "--published"),
    )  # fmt: skip
    settings = load_settings()
    document = holdings.edit(settings, id, correction)
    _noted(settings, "改正信息", [document.name])
    build(settings, progress=progress)
    if as_json:
        _print(_document(document))
    else:
        err.print(f"已改正“{document.name}”（{document.id}）。", markup=False)


@kb.command("sync")
def kb_sync(
    ids: Annotated[list[str] | None, typer.Argument(help="法规编号；不写则同步全部现行的")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说会取什么，不联网")] = False,
    look_up: Annotated[bool, typer.Option("--look-up", help="没有正文地址的，到党内法规库检索")] = False,
    as_json: Json = False,
) -> None:
    """从官方网址取原文，说明与上次相比改了什么，旧文本保留。"""
    from assistant import holdings
    from assistant.documents.changes import in_words
    from assistant.wiring import build

    settings = load_settings()

    def told(report: SyncReport) -> None:
        if as_json:
            return
        name = f"《{report.title}》（{report.instrument_id}）"
        out.print(f"[{_SYNCED[report.outcome]}] {name}：{report.message}", markup=False)
        if report.outcome == "changed":
            out.print(in_words(report.changes), markup=False)

    reports = holdings.sync(settings, ids or (), dry_run=dry_run, look_up=look_up, told=told)
    stored = [r for r in reports if r.outcome in ("first", "changed")]
    if stored:
        _noted(settings, "取回原文", [f"《{report.title}》" for report in stored])
        build(settings, progress=progress)
    if as_json:
        _print([report.as_data() for report in reports])
    else:
        counts = {name: sum(r.outcome == key for r in reports) for key, name in _SYNCED.items()}
        said = "，".join(f"{name} {count}" for name, count in counts.items() if count)
        err.print(f"共 {len(reports)} 部：{said}。", markup=False)
    if reports and all(r.outcome in ("failed", "refused") for r in reports):
        raise typer.Exit(1)


@kb.command("diff")
def kb_diff(
    first: Annotated[str, typer.Argument(help="法规或文件编号，如 jiancha-2018")],
    second: Annotated[str | None, typer.Argument(help="另一份；不写则比较同一部法规的最近两份原文")] = None,
    as_json: Json = False,
) -> None:
    """比较两个文本，逐条说明改了什么。"""
    from assistant import holdings
    from assistant.documents.changes import in_words
    from assistant.documents.differences import as_data

    old, new, changes = holdings.compared(load_settings(), first, second)
    if as_json:
        _print({"old": old.id, "new": new.id, "changes": as_data(changes)})
        return
    out.print(f"从《{old.title}》（{old.name}）到《{new.title}》（{new.name}）：", markup=False)
    out.print(in_words(changes) if changes else "没有不同。", markup=False)


@kb.command("export")
def kb_export(
    id: Annotated[str | None, typer.Argument(help="法规或文件编号；不写则导出全部原件（ZIP）")] = None,
    target: Annotated[Path | None, typer.Option("--out", help="写到哪个文件")] = None,
    form: Annotated[Literal["md", "txt", "json"], typer.Option("--format", help="md、txt 或 json")] = "md",
    as_json: Json = False,
) -> None:
    """导出一份文件的整理结果，或者全部原件（可以再用 kb add 添加）。"""
    from assistant import holdings

    settings = load_settings()
    if id is None:
        if target is None:
            raise InputFileError("导出全部原件要用 --out 写明 ZIP 文件，例如 --out 备份.zip。")
        count = holdings.save_originals(settings, target)
        if as_json:
            _print({"out": str(target), "documents": count})
        else:
            err.print(f"已把 {count} 份原件写入 {target}。", markup=False)
        return
    words = holdings.exported(settings, id, "json" if as_json else form)
    if target is None:
        typer.echo(words, nl=False)
        return
    try:
        target.write_text(words, encoding="utf-8")
    except OSError as error:
        raise DocumentError(
            f"写不了 {target}（{error.strerror}），请换一个能写的位置。", str(target)
        ) from error
    err.print(f"已写入 {target}。", markup=False)


# ------------------------------------------------------------------ what is shown


@contextmanager
def _told(quiet: bool, label: str) -> Iterator[Any]:
    """Says what became of each file as it is done."""
    err.print(f"{label}……", markup=False)

    def tell(outcome: Outcome) -> None:
        if quiet:
            return
        sentence = (
            outcome.sentence if outcome.name in outcome.sentence else f"{outcome.name}：{outcome.sentence}"
        )
        err.print(f"[{_STATUS[outcome.status]}] {sentence}", markup=False)
        for notice in outcome.document.notices if outcome.document and outcome.status == "added" else ():
            err.print(f"  注意：{notice}", markup=False)

    yield tell


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _document(document: Document) -> dict[str, Any]:
    from assistant.documents.writing import document_row

    return document_row(document)


def _instrument(row: Any) -> dict[str, Any]:
    i = row.instrument
    return {
        "id": i.id,
        "title": i.title,
        "issuer": i.issuer,
        "kind": i.kind,
        "rank": i.rank,
        "effective_from": i.effective_from,
        "effective_to": i.effective_to,
        "replaced_by": i.replaced_by,
        "official_url": i.official_url,
        "document": i.document,
        "provisions": row.provisions,
        "unverified": row.unverified,
        "with_text": row.with_text,
    }


def _provision(provision: Provision, day: date) -> dict[str, Any]:
    i = provision.instrument
    return {
        "id": provision.id,
        "label": provision.label,
        "topic": provision.topic,
        "digest": provision.digest or None,
        "text": provision.text,
        "confidence": provision.confidence,
        "authority": i.authority,
        "section": provision.section,
        "page": provision.page,
        "in_force": i.in_force(day),
        "effective_from": i.effective_from,
        "effective_to": i.effective_to,
        "source_url": provision.source_url,
    }


def _row(row: Row) -> str:
    state = {"in_force": "现行", "not_yet": "未施行", "superseded": "已失效"}[row.state]
    checked = "未记录" if row.days_since_check is None else f"{row.days_since_check} 天前"
    counts = f"{row.provisions} 条，已核实 {row.verified}，有原文 {row.with_text}"
    return f"{row.id}  {state}  《{row.title}》  {counts}，查证：{checked}"


def _short(text: str, length: int = 80) -> str:
    one = " ".join(text.split())
    return one if len(one) <= length else one[: length - 1] + "…"
