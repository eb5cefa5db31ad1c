"""What is kept between visits, opened once for all pages; and what is old, taken away in the background.

Comes in: the store and the settings. Goes out: conversations, feedback, accounts and the log of changes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from assistant.records.accounts import Accounts
from assistant.records.audit import Audit
from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackBox
from assistant.records.store import Store
from assistant.settings import Settings
from assistant.web.gate import Pace

_HOUR = 3600.0
_A_DAY = timedelta(hours=24)
_LOG = logging.getLogger("zeming.web")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Registry:
    """All that is kept."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings, self.clock = settings, clock
        self.conversations = Conversations(store)
        self.feedback = FeedbackBox(store)
        self.audit = Audit(store, clock)
        self.accounts = Accounts(store, settings, clock, self.audit)
        self.pace = Pace(settings.questions_per_minute)  # of questions, by owner

    def sweep(self) -> int:
        """Delete the conversations whose time is over, all of them where nothing is to be kept; how many.

        A conversation of a browser without an account cannot be reached once that browser is closed. It goes when
        nothing was added to it for a day, or for ``session_hours`` where that is longer, so that a page left open
        over night still finds its own.
        """
        now = self.clock()
        if not self.settings.keep_history:
            return self.conversations.sweep(now, now)
        before = now - timedelta(days=self.settings.retention_days)
        browsers = now - max(_A_DAY, timedelta(hours=self.settings.session_hours))
        return self.conversations.sweep(before, max(before, browsers))

    def keep_swept(self) -> Callable[[], None]:
        """Sweep now and once an hour, in a thread; the function that is returned ends it."""
        over = threading.Event()

        def work() -> None:
            while True:
                try:
                    self.sweep()
                except Exception as error:  # the type only: a message may repeat what people wrote
                    _LOG.error("清理过期记录没有做成：%s", type(error).__name__)
                if over.wait(_HOUR):
                    return

        thread = threading.Thread(target=work, name="sweep", daemon=True)
        thread.start()

        def end() -> None:
            over.set()
            with suppress(RuntimeError):
                thread.join(timeout=5)

        return end
