"""Pages as they came from official sites, so that an unchanged one need not be sent again.

Comes in: addresses and answers. Goes out: what was kept, or None; a damaged entry counts as none. Each address has a
small file of its own, and bodies are kept under the hash of their content.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """What the site said of a page, and its body."""

    url: str
    etag: str
    modified: str
    content_type: str
    sha: str
    body: bytes

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask for the page only if it has changed."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in asked.items() if value}


class PageCache:
    """Nothing here is needed: what cannot be written is not kept, what cannot be read is fetched again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, url: str) -> Kept | None:
        """The page as it was last time; None where there is none or it is damaged."""
        try:
            entry = json.loads(self._entry(url).read_text("utf-8"))
            body = self._body(entry["sha"]).read_bytes()
            kept = Kept(**{name: str(entry[name]) for name in _NAMES}, body=body)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return kept if kept.url == url and hashlib.sha256(body).hexdigest() == kept.sha else None

    def put(self, url: str, etag: str, modified: str, content_type: str, body: bytes) -> None:
        """Keep a page that can be asked about again."""
        if not (etag or modified):
            return
        kept = Kept(url, etag, modified, content_type, hashlib.sha256(body).hexdigest(), body)
        entry = {name: value for name, value in asdict(kept).items() if name != "body"}
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(self._body(kept.sha), body)
            _write(self._entry(url), json.dumps(entry, ensure_ascii=False, indent=1).encode())

    def _entry(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"

    def _body(self, sha: str) -> Path:
        if not (len(sha) == 64 and sha.isalnum()):  # the file could have been written by anybody
            raise ValueError("not a hash")
        return self._folder / f"{sha}.page"


_NAMES = ("url", "etag", "modified", "content_type", "sha")


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, also when the process is killed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
