"""The error tree. Every message is one Chinese sentence for the reader: what is wrong, where, what to do."""

from __future__ import annotations


class ZemingError(Exception):
    """Anything that is to be shown to a person as one sentence."""


class KnowledgeError(ZemingError):
    """A file under ``knowledge/`` or ``prompts/`` is wrong; the message names file and line."""

    def __init__(self, message: str, file: str = "", line: int = 0) -> None:
        self.file, self.line = file, line
        where = f"{file} 第{line}行：" if file and line else f"{file}：" if file else ""
        super().__init__(where + message)


class QuestionError(ZemingError):
    """The question cannot be read (empty, too long, no words in it)."""


class InputFileError(ZemingError):
    """A file the user handed in cannot be read; the message names file, line and field."""


class SettingsError(ZemingError):
    """A setting has a value that cannot be used; the message names the setting."""


class IndexUnavailable(ZemingError):
    """The search index is missing, damaged or being rebuilt by somebody else."""


class EmbeddingError(ZemingError):
    """The embedding model could not be loaded or reached."""


class DocumentError(ZemingError):
    """A document cannot be taken in; the message names the file and, where it helps, the page.

    ``name`` is the file as the person knows it.
    """

    def __init__(self, message: str, name: str = "") -> None:
        self.name = name
        super().__init__(message)


class LibraryError(ZemingError):
    """The store of documents cannot be opened or written."""


class SyncError(ZemingError):
    """An official site could not be reached, or answered something that cannot be used."""


class PageGone(SyncError):
    """There is no page at the official address any more; it may have moved."""


class QualityError(ZemingError):
    """An evaluation came out worse than the earlier run that it is compared with; the message names the measures."""


class RecordsError(ZemingError):
    """The store of conversations and accounts cannot be opened or written."""


class AccountError(ZemingError):
    """Something about an account cannot be done: a name that is taken, a weak password, a wrong one, a lock."""


class DraftError(ZemingError):
    """A draft cannot be made from what is known, or its text cannot be laid out."""


class ModelError(ZemingError):
    """The language model was of no use this time; the answer is then made without it.

    ``kind`` says why, for tests and counts: one of :data:`KINDS`.
    """

    KINDS = (
        "missing",  # a package that talks to it is not installed
        "unreachable",  # nobody answers at the address
        "late",  # the time for it is up
        "busy",  # it says that too much is asked of it
        "failed",  # it reports a fault of its own, or breaks the connection off
        "refused",  # key, model name or request are not accepted
        "budget",  # the tokens for one answer are used up
        "cut",  # the reply was stopped before its end, or is too long
        "unusable",  # what came is no reply
    )

    def __init__(self, message: str, kind: str = "unusable") -> None:
        self.kind = kind
        super().__init__(message)


class ReceiptError(ZemingError):
    """A receipt cannot be written of an answer, or cannot be read: changed by hand, damaged, of another version."""
