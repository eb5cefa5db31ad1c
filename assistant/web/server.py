"""The web chat as a program: the pages joined into one server, nothing fetched from anywhere else.

Comes in: settings. Goes out: pages at the address of the settings, until interrupted.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import wiring
from assistant.conversation import Asks, make_listener
from assistant.drafting import Drafter
from assistant.errors import SettingsError
from assistant.indexing import Progress
from assistant.law.names import load_names
from assistant.records.conversations import Conversations
from assistant.records.feedback import FeedbackBox
from assistant.records.store import Store, open_store
from assistant.settings import Settings
from assistant.web.chat import Room
from assistant.web.sheet import Stock
from assistant.web.thread import Example, load_examples
from assistant.web.uploads import uploads_folder

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

__all__ = ["Example", "Served", "build_app", "check_address", "launch", "load_examples", "serve"]

_STATIC = Path(__file__).parent / "static"
_PATIENCE = 60.0  # seconds for the server to begin


def build_app(
    advisor: Asks,
    stock: Stock,
    settings: Settings,
    examples: Sequence[Example],
    office: wiring.Office | None = None,
    store: Store | None = None,
    drafter: Callable[[], Drafter] | None = None,
) -> FastAPI:
    """All pages, not yet open.

    Args:
        stock: gives the provisions behind the sources.
        office: for the page of the knowledge base; without it there is the chat only.
        store: what is kept between visits; the one of the settings where none is given.
        drafter: writes drafts from what is in stock now.
    """
    # Gradio and its hub client read these once, when they are imported; hence the late import.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(uploads_folder(settings.data))
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gradio
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from assistant.web import chat_page, knowledge_page

    store = store or open_store(settings)
    room = Room(
        advisor=advisor,
        listener=make_listener(settings),
        stock=stock,
        settings=settings,
        names=load_names(settings.knowledge),
        drafter=drafter,
        kept=Conversations(store) if settings.keep_history else None,
        box=FeedbackBox(store),
    )
    pages = chat_page.build_app(room, examples, lambda request: "browser:1", lambda request: "")
    if office:
        knowledge_page.add_page(pages, office)
    pages.state_session_capacity = 200
    site = FastAPI(title="责明", docs_url=None, redoc_url=None, openapi_url=None)
    site.mount("/static", StaticFiles(directory=_STATIC), name="static")
    pages.queue(api_open=False, default_concurrency_limit=None)
    gradio.mount_gradio_app(
        site,
        pages,
        path="",
        server_name=settings.host,
        server_port=settings.port,
        show_error=False,
        run_history=False,  # would keep what people write in the browser's storage
        footer_links=[],
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        # the chat alone takes no files
        max_file_size=f"{settings.max_file_mb}mb" if office else "1kb",
        blocked_paths=[str(settings.data.resolve())],  # what was uploaded is never served
        theme=chat_page.theme(),
        css="\n".join((_STATIC / name).read_text(encoding="utf-8") for name in ("web.css", "chat.css")),
        head='<link rel="icon" href="/static/icon.svg">'
        + "".join(f'<script src="/static/{name}.js"></script>' for name in ("look", "chat")),
    )
    return site


def check_address(settings: Settings) -> None:
    """Whether the page can be opened there.

    Raises:
        SettingsError: the address is not this machine's own, or the port is taken.
    """
    if not _loopback(settings.host):
        raise SettingsError(
            f"网页还没有登录和权限，只能在本机使用，不能监听 {settings.host}；"
            "请把 ZEMING_HOST 设为 127.0.0.1。"
        )
    try:
        with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
            if sys.platform != "win32":  # there it would let two programs share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise _taken(settings) from error


def _taken(settings: Settings) -> SettingsError:
    return SettingsError(
        f"端口 {settings.port} 已被占用，请关掉占用它的程序，或者用 ZEMING_PORT 换一个端口后重试。"
    )


@dataclass(frozen=True)
class Served:
    """A server that runs in the background of this process."""

    address: str
    server: uvicorn.Server
    thread: threading.Thread

    def close(self) -> None:
        """End it; requests that are under way are given a moment."""
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join(timeout=10)


def launch(app: FastAPI, settings: Settings) -> Served:
    """Start the pages in the background. Raises as :func:`check_address`."""
    import uvicorn

    check_address(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level=logging.CRITICAL,  # addresses and faults would be logged with what people wrote
        access_log=False,
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    until = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:  # somebody took the port in between
            raise _taken(settings)
        time.sleep(0.02)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return Served(f"http://{host}:{settings.port}", server, thread)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(settings: Settings, progress: Progress | None = None) -> None:
    """Start the page, print its address and stay until interrupted. Raises as :func:`check_address`."""
    check_address(settings)  # before the slow part
    office = wiring.Office(settings, progress or _announce)
    app = build_app(office, office, settings, load_examples(settings.prompts), office)
    served = launch(app, settings)
    print(f"责明已经打开：{served.address} （按 Ctrl+C 停止）", flush=True)
    if sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(served.address)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        served.close()
        print("责明已停止。", flush=True)


@contextmanager
def _announce(total: int, what: str) -> Iterator[Callable[[int], object]]:
    print(f"{what}（共 {total} 条，第一次约需一两分钟）……", flush=True)
    yield lambda _: None
