"""The stock of law: every instrument and provision of the knowledge folder, and the ways people ask for it.

Comes in: ``instruments/*.yaml`` and ``questions/*.jsonl``. Goes out: :class:`Corpus`, checked: no reference
dangles, no id occurs twice, versions of one title do not overlap. Raises ``KnowledgeError`` with file and
line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

from assistant.errors import KnowledgeError
from assistant.law import schema
from assistant.law.tables import check_tables
from assistant.law.text import number_to_chinese
from assistant.model import Instrument, Provision, Shelf


@dataclass(frozen=True)
class Corpus:
    """Instruments and provisions by id.

    An article of which only paragraphs or items are in stock can be asked for as well: it is put together
    from them and marked ``composed``.
    """

    instruments: Mapping[str, Instrument] = field(repr=False)
    asked: Mapping[str, tuple[str, ...]] = field(repr=False)  # provision id -> how people ask for it
    _stock: Mapping[str, Provision] = field(repr=False)
    _composed: Mapping[str, Provision] = field(repr=False)
    _children: Mapping[str, tuple[str, ...]] = field(repr=False)  # id -> ids one level down
    works: Mapping[str, Instrument] = field(default_factory=dict, repr=False)  # articles: they hold no rules

    def get(self, id: str) -> Provision | None:
        """The provision, composed where need be; None when it is not in stock."""
        return self._stock.get(id) or self._composed.get(id)

    def provision(self, id: str) -> Provision:
        """The provision.

        Raises:
            KnowledgeError: it is not in stock.
        """
        found = self.get(id)
        if found is None:
            raise KnowledgeError(f"知识库里没有条款“{id}”，请检查编号。")
        return found

    def holder(self, id: str) -> Instrument | None:
        """The instrument or article of that id, of whatever authority."""
        return self.instruments.get(id) or self.works.get(id)

    def knows(self, reference: str) -> bool:
        """Whether a provision or an instrument of that id is in stock."""
        return reference in self.instruments or self.get(reference) is not None

    def ids(self) -> Iterator[str]:
        """The ids of everything in stock and of what is composed from it."""
        yield from self._stock
        yield from self._composed

    def provisions(self, day: date | None = None) -> Iterator[Provision]:
        """Everything in stock (nothing composed), instrument by instrument in document order.

        With ``day`` only what was in force then.
        """
        for provision in self._stock.values():
            if day is None or provision.instrument.in_force(day):
                yield provision

    def children(self, id: str) -> tuple[Provision, ...]:
        """One level down: articles of an instrument, paragraphs of an article, items of a paragraph.

        Where an article is known by the items of one paragraph only, they count as its children.
        """
        return tuple(self.provision(child) for child in self._children.get(id, ()))

    def neighbours(self, id: str) -> tuple[Provision | None, Provision | None]:
        """The provisions before and after it on its own level, inside its instrument."""
        instrument, _, address = id.partition("#")
        parent = f"{instrument}#{address.rpartition('.')[0]}" if "." in address else instrument
        while parent not in self._children or id not in self._children[parent]:
            if parent == instrument:
                return None, None
            address = parent.partition("#")[2]
            parent = f"{instrument}#{address.rpartition('.')[0]}" if "." in address else instrument
        row = self._children[parent]
        at = row.index(id)
        before = self.get(row[at - 1]) if at else None
        after = self.get(row[at + 1]) if at + 1 < len(row) else None
        return before, after

    def versions(self, title: str) -> tuple[Instrument, ...]:
        """All versions of a title, the oldest first."""
        found = [i for i in self.instruments.values() if i.title == title]
        return tuple(sorted(found, key=lambda i: i.effective_from or date.min))


def label_of(
    instrument: Instrument,
    article: str | None,
    paragraph: int | None = None,
    item: int | None = None,
    topic: str = "",
    numbered: bool = True,
) -> str:
    """How a provision is cited.

    The paragraph is written unless an item of paragraph 1 follows, as people cite it. A note whose article is
    not known never shows a number; ``numbered`` is False for texts that are not made of articles at all.

    >>> law = Instrument("x", "试验条例", ("试验条例",), "某机关", "党内法规", 2, None, None, None, None, 9)
    >>> label_of(law, "7", 1, 3)
    '《试验条例》第七条第（三）项'
    >>> label_of(law, "17", 2), label_of(law, "8", 2, 1)
    ('《试验条例》第十七条第二款', '《试验条例》第八条第二款第（一）项')
    >>> label_of(law, "120-1")
    '《试验条例》第一百二十条之一'
    >>> label_of(law, None, topic="程序"), label_of(law, None, topic="程序", numbered=False)
    ('《试验条例》（条号待核）：程序', '《试验条例》：程序')
    """
    title = f"《{instrument.title}》"
    if article is None:
        return f"{title}{'（条号待核）' if numbered else ''}：{topic}"
    number, _, inserted = article.partition("-")
    label = f"{title}第{number_to_chinese(int(number))}条"
    if inserted:
        label += f"之{number_to_chinese(int(inserted))}"
    if paragraph is not None and not (item is not None and paragraph == 1):
        label += f"第{number_to_chinese(paragraph)}款"
    if item is not None:
        label += f"第（{number_to_chinese(item)}）项"
    return label


def load_corpus(folder: Path) -> Corpus:
    """Read the instruments and questions of a knowledge folder.

    Raises:
        KnowledgeError: the first mistake found.
    """
    corpus, problems = _read(folder)
    if problems:
        raise problems[0]
    return corpus


def check_knowledge(folder: Path) -> list[KnowledgeError]:
    """Everything wrong with instruments, questions and tables; empty when all is well."""
    corpus, problems = _read(folder)
    for path in sorted((folder / "instruments").glob("*.yaml")):
        problems.extend(schema.repeated_keys(path, folder))
    return problems + check_tables(folder, corpus)


def with_documents(corpus: Corpus, shelf: Shelf) -> Corpus:
    """The stock with what documents add to it.

    Words are attached to provisions that are in stock; a provision the stock has keeps its digest. An instrument of
    the catalogue of which a document brings a later version says so whenever it is cited: the rules still rest on
    the version they were written for.
    """
    instruments, works = dict(corpus.instruments), dict(corpus.works)
    for added in shelf.instruments:
        (instruments if added.authority == "rule" else works)[added.id] = added
    for added in shelf.instruments:
        for held in corpus.instruments.values():
            if added.authority == "rule" and _later(added, held):
                caution = f"添加的文件里有这部法规更新的版本（{added.effective_from}起施行），请核对"
                instruments[held.id] = replace(held, caution="；".join(filter(None, (held.caution, caution))))
    holders = instruments | works
    stock = {
        id: replace(p, instrument=holders[p.instrument.id], text=shelf.texts.get(id, p.text))
        for id, p in corpus._stock.items()
    }
    for provision in shelf.provisions:
        if provision.id not in stock and provision.id not in corpus._composed:
            stock[provision.id] = replace(provision, instrument=holders[provision.instrument.id])
    grown = {provision.instrument.id for provision in shelf.provisions}
    children = _children_of(_in_order(stock, grown), holders)
    composed = {
        id: replace(p, text=shelf.texts.get(id)) for id, p in _compose_parents(stock, children).items()
    }
    return Corpus(instruments, corpus.asked, stock, composed, children, works)


def _later(added: Instrument, held: Instrument) -> bool:
    """Whether ``added`` is a version of the same title that began later than one still in force."""
    if added.title != held.title or held.effective_to is not None or added.effective_from is None:
        return False
    return held.effective_from is None or held.effective_from < added.effective_from


def _in_order(stock: Mapping[str, Provision], grown: set[str]) -> Mapping[str, Provision]:
    """The stock with the provisions of the instruments that have grown in the order of their articles."""

    def place(provision: Provision) -> tuple[int, ...]:
        if provision.article is None:
            return (1 << 30,)
        article, _, inserted = provision.article.partition("-")
        return int(article), int(inserted or 0), provision.paragraph or 0, provision.item or 0

    held: dict[str, list[Provision]] = {}
    for provision in stock.values():
        held.setdefault(provision.instrument.id, []).append(provision)
    for id in grown:
        held[id].sort(key=place)
    return {p.id: p for provisions in held.values() for p in provisions}


# ------------------------------------------------------------------ reading


def _read(folder: Path) -> tuple[Corpus, list[KnowledgeError]]:
    problems: list[KnowledgeError] = []
    files: dict[str, tuple[Path, schema.InstrumentFile]] = {}
    paths = sorted((folder / "instruments").glob("*.yaml"))
    if not paths:
        problems.append(KnowledgeError("没有法规文件（*.yaml），请检查知识库文件夹的设置。", "instruments"))
    for path in paths:
        file = schema.try_yaml(path, schema.InstrumentFile, folder, problems)
        if file is None:
            continue
        if file.instrument.id != path.stem:
            message = f"编号“{file.instrument.id}”与文件名不同，请改成“{path.stem}”。"
            problems.append(schema.problem_at(path, folder, ("instrument", "id"), message))
        files[path.stem] = (path, file)
    instruments = {id: _instrument(id, file.instrument) for id, (_, file) in files.items()}
    stock: dict[str, Provision] = {}
    for id, (path, file) in files.items():
        for index, row in enumerate(file.provisions):
            provision = _provision(row, instruments[id], file.instrument.numbered)
            if provision.id in stock:
                message = f"编号“{row.id}”在本文件里前面已经有了，请合并或改号。"
                problems.append(schema.problem_at(path, folder, ("provisions", index, "id"), message))
            stock.setdefault(provision.id, provision)
    children = _children_of(stock, instruments)
    composed = _compose_parents(stock, children)
    asked = _asked(folder, problems, known=stock.keys() | composed.keys())
    corpus = Corpus(instruments, asked, stock, composed, children)
    for path, file in files.values():
        problems.extend(_loose_ends(path, folder, file, corpus))
    problems.extend(_version_problems(files, folder, instruments))
    return corpus, problems


def _instrument(id: str, row: schema.InstrumentRow) -> Instrument:
    return Instrument(
        id=id,
        title=row.title,
        short_titles=tuple(row.short_titles),
        issuer=row.issuer,
        kind=row.kind,
        rank=row.rank,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        replaced_by=row.replaced_by,
        official_url=row.official_url,
        article_count=row.article_count,
        note=row.note,
        now=tuple(row.now.items()),
        transition=f"{id}#{row.transition}" if row.transition else None,
        caution=row.caution,
        only_if_named=row.only_if_named,
        checked=row.checked,
        adopted=row.adopted,
        begun=row.begun,
        extent=row.extent,
        before=row.before,
    )


def _provision(row: schema.ProvisionRow, instrument: Instrument, numbered: bool) -> Provision:
    article, paragraph, item = _address(row.id)
    return Provision(
        id=f"{instrument.id}#{row.id}",
        instrument=instrument,
        article=article,
        paragraph=paragraph,
        item=item,
        label=row.label or label_of(instrument, article, paragraph, item, row.topic, numbered),
        topic=row.topic,
        digest=row.digest,
        text=None,
        keywords=tuple(row.keywords),
        applies_to=tuple(row.applies_to),
        facts=row.facts,
        cross_refs=tuple(row.cross_refs),
        confidence=row.confidence,
    )


def _address(address: str) -> tuple[str | None, int | None, int | None]:
    """Article, paragraph and item of the part of an id after "#"; all None for a note without a number."""
    if address.startswith("n"):
        return None, None, None
    article, *rest = address.split(".")
    numbers = [int(part) for part in rest] + [None, None]
    return article, numbers[0], numbers[1]


def _asked(folder: Path, problems: list[KnowledgeError], known: set[str]) -> dict[str, tuple[str, ...]]:
    asked: dict[str, tuple[str, ...]] = {}
    for path in sorted((folder / "questions").glob("*.jsonl")):
        for line, row in schema.try_jsonl(path, schema.QuestionRow, folder, problems):
            name = path.relative_to(folder).as_posix()
            if row.id not in known:
                message = f"问法指向的条款“{row.id}”不在知识库里，请改正编号或删去这一行。"
                problems.append(KnowledgeError(message, name, line))
            elif row.id in asked:
                message = f"条款“{row.id}”的问法前面已经有了，请合并成一行。"
                problems.append(KnowledgeError(message, name, line))
            else:
                asked[row.id] = tuple(row.questions)
    return asked


# ------------------------------------------------------------------ articles made of their parts


def _children_of(
    stock: Mapping[str, Provision], instruments: Mapping[str, Instrument]
) -> dict[str, tuple[str, ...]]:
    """The ids one level down, in document order.

    Paragraphs that exist only through their items are skipped when the article has no other paragraph, so
    that items hang directly below their article.
    """
    paragraphs: dict[str, set[int]] = {}
    for provision in stock.values():
        if provision.paragraph is not None:
            article = f"{provision.instrument.id}#{provision.article}"
            paragraphs.setdefault(article, set()).add(provision.paragraph)
    below: dict[str, dict[str, None]] = {id: {} for id in instruments}
    for provision in stock.values():
        top = provision.instrument.id
        article = f"{top}#{provision.article}" if provision.article else provision.id
        below[top][article] = None
        if provision.paragraph is None:
            continue
        paragraph = f"{article}.{provision.paragraph}"
        if provision.item is None:
            below.setdefault(article, {})[paragraph] = None
        elif paragraph in stock or len(paragraphs[article]) > 1:
            below.setdefault(article, {})[paragraph] = None
            below.setdefault(paragraph, {})[provision.id] = None
        else:
            below.setdefault(article, {})[provision.id] = None
    return {id: tuple(ids) for id, ids in below.items()}


def _compose_parents(
    stock: Mapping[str, Provision], children: Mapping[str, tuple[str, ...]]
) -> dict[str, Provision]:
    """Articles and paragraphs that are not in stock themselves, from the parts that are."""
    composed: dict[str, Provision] = {}
    parents = [id for id in children if "#" in id and id not in stock]
    for id in sorted(parents, key=lambda id: -id.count(".")):  # paragraphs first: articles are made of them
        parts = [stock.get(child) or composed[child] for child in children[id]]
        composed[id] = _composed(id, parts)
    for id in list(children):  # "7.1" where only items of article 7 are in stock is article 7 by another name
        first = f"{id}.1"
        items = [c for c in children[id] if "#" in id and c.startswith(f"{first}.")]
        if items and first not in stock and first not in composed:
            composed[first] = _composed(first, [stock[item] for item in items])
    return composed


def _composed(id: str, parts: list[Provision]) -> Provision:
    instrument = parts[0].instrument
    article, paragraph, item = _address(id.partition("#")[2])
    topics = "；".join(dict.fromkeys(part.topic for part in parts))
    return Provision(
        id=id,
        instrument=instrument,
        article=article,
        paragraph=paragraph,
        item=item,
        label=label_of(instrument, article, paragraph, item),
        topic=topics,
        digest="\n".join(f"{_mark(part, within=paragraph)}　{part.digest}" for part in parts),
        text=None,
        keywords=tuple(dict.fromkeys(word for part in parts for word in part.keywords)),
        applies_to=tuple(dict.fromkeys(who for part in parts for who in part.applies_to)),
        facts={},
        cross_refs=tuple(dict.fromkeys(ref for part in parts for ref in part.cross_refs)),
        confidence="memory" if any(part.confidence == "memory" for part in parts) else "verified",
        composed=True,
    )


def _mark(part: Provision, within: int | None) -> str:
    """第二款 or （三）, as the part stands in what it is composed into."""
    if part.item is not None:
        return f"（{number_to_chinese(part.item)}）"
    return f"第{number_to_chinese(part.paragraph or 1)}款"


# ------------------------------------------------------------------ checks across rows and files


def _loose_ends(
    path: Path, folder: Path, file: schema.InstrumentFile, corpus: Corpus
) -> Iterator[KnowledgeError]:
    """References to what is not in stock, numbers beyond the published text, dates in the wrong order."""
    row = file.instrument
    if row.replaced_by and row.replaced_by not in corpus.instruments:
        message = f"replaced_by 写的法规“{row.replaced_by}”不在知识库里，请改正或补上该文件。"
        yield schema.problem_at(path, folder, ("instrument", "replaced_by"), message)
    if row.transition and corpus.get(f"{row.id}#{row.transition}") is None:
        message = f"transition 写的“{row.transition}”不是本文件里的条款，请改正。"
        yield schema.problem_at(path, folder, ("instrument", "transition"), message)
    for old, governs in row.now.items():
        if not corpus.knows(governs):
            message = f"now 里的条款“{governs}”不在知识库里，请改正或删去这一行。"
            yield schema.problem_at(path, folder, ("instrument", "now", old), message)
    if row.effective_from and row.effective_to and row.effective_to < row.effective_from:
        message = "失效日期早于施行日期，请检查两个日期。"
        yield schema.problem_at(path, folder, ("instrument", "effective_to"), message)
    for index, provision in enumerate(file.provisions):
        article = _address(provision.id)[0]
        if article and row.article_count and int(article.partition("-")[0]) > row.article_count:
            message = f"条号“{provision.id}”超过全文条数 {row.article_count}，请检查条号或 article_count。"
            yield schema.problem_at(path, folder, ("provisions", index, "id"), message)
        for number, reference in enumerate(provision.cross_refs):
            if not corpus.knows(reference):
                message = f"知识库里没有条款“{reference}”，请改正或删去这个引用。"
                yield schema.problem_at(path, folder, ("provisions", index, "cross_refs", number), message)


def _version_problems(
    files: Mapping[str, tuple[Path, schema.InstrumentFile]],
    folder: Path,
    instruments: Mapping[str, Instrument],
) -> Iterator[KnowledgeError]:
    """Versions of one title in force on one day, and short titles that could mean two instruments."""
    for first, second in combinations(instruments.values(), 2):
        if first.title == second.title and _overlap(first, second):
            message = f"与“{first.id}”同名，施行的日期有重叠，请检查两个文件的施行和失效日期。"
            key = "effective_from" if second.effective_from else "id"
            yield schema.problem_at(files[second.id][0], folder, ("instrument", key), message)
        shared = set(first.short_titles) & set(second.short_titles)
        if shared and first.title != second.title:
            position = second.short_titles.index(next(t for t in second.short_titles if t in shared))
            message = f"简称“{'、'.join(sorted(shared))}”与“{first.id}”的相同，分不清指哪一部，请换一个。"
            loc = ("instrument", "short_titles", position)
            yield schema.problem_at(files[second.id][0], folder, loc, message)


def _overlap(first: Instrument, second: Instrument) -> bool:
    def span(instrument: Instrument) -> tuple[date, date]:
        end = instrument.effective_to or date.max - timedelta(days=1)
        return instrument.effective_from or date.min, end

    (from_1, to_1), (from_2, to_2) = span(first), span(second)
    return from_1 <= to_2 and from_2 <= to_1
