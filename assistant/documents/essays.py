"""Articles and interpretations: from the blocks of a document to passages that can be cited.

Comes in: ``model.RawDocument``. Goes out: ``model.Essay``. Words stay as they were written, traditional characters
too; what is taken away is what is not the author's (``documents/cleaning.py``).
"""

from __future__ import annotations

from assistant.documents.bylines import read_byline, with_front_first
from assistant.documents.cleaning import lines_of, without_furniture, without_page_edges, without_references
from assistant.documents.excerpts import cut, excerpts_of
from assistant.documents.loose_tables import with_tables
from assistant.documents.paragraphs import is_broken, once, paragraphs_of
from assistant.documents.sections import sections_of
from assistant.model import Essay, RawDocument

__all__ = ["cut", "read_essay"]


def read_essay(raw: RawDocument) -> Essay:
    """The article, cleaned and cut. A document without any text gives no excerpts; that is for the caller to say."""
    lines = without_page_edges(lines_of(raw.blocks))
    lines = with_tables(lines)
    if is_broken(lines):
        lines = with_front_first(lines)
    byline, lines = read_byline(raw, lines)
    lines = without_references(without_furniture(lines))
    paragraphs = once(paragraphs_of(lines))
    sections = sections_of(paragraphs, byline.title)
    return Essay(
        title=byline.title,
        excerpts=tuple(excerpt for section in sections for excerpt in excerpts_of(section)),
        author=byline.author,
        published=byline.published,
        source=byline.source,
        official=byline.official,
    )
