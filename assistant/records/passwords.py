"""Which passwords are good enough: long, not the name, not one that everybody tries. No rules of composition.

Comes in: ``prompts/passwords.yaml``, a name and a password. Raises :class:`assistant.errors.AccountError`.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from assistant.errors import AccountError
from assistant.prompts import Prompts

_REPEATED = re.compile(r"(.{1,5})\1+", re.DOTALL)  # 1234512345, aaaaaaaaaa


def spelling(password: str) -> str:
    """A password in the one way that counts, whatever keyboard it was typed on."""
    return unicodedata.normalize("NFKC", password)


class PasswordRules:
    """The rules, read once."""

    def __init__(self, prompts: Path) -> None:
        wording = Prompts(prompts).wording("passwords.yaml")
        self._shortest, self._longest = int(wording["shortest"]), int(wording["longest"])
        self._sentences: dict[str, str] = wording["sentences"]
        self._common = frozenset(wording["common"])

    def check(self, name: str, password: str) -> None:
        """Nothing, if the password will do for that name. A name of one character may be in it.

        Raises:
            AccountError: it will not; the sentence says why.
        """
        folded, name = spelling(password).casefold(), spelling(name).casefold()
        if len(folded) < self._shortest:
            raise self._fault("short")
        if len(folded) > self._longest:
            raise self._fault("long")
        if folded in self._common or _REPEATED.fullmatch(folded):
            raise self._fault("common")
        if len(name) > 1 and name in folded:
            raise self._fault("name")

    def _fault(self, kind: str) -> AccountError:
        return AccountError(self._sentences[kind].format(shortest=self._shortest, longest=self._longest))
