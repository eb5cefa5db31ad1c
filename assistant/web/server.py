"""The web chat as a program: the pages joined into one server, nothing fetched from anywhere else.

Comes in: settings. Goes out: pages at the address of the settings, until interrupted.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
import sys
import threading
import time
import warnings
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import wiring
from assistant.conversation import make_listener
from assistant.drafting import Drafter
from assistant.errors import SettingsError
from assistant.indexing import Progress
from assistant.law.names import load_names
from assistant.prompts import Prompts
from assistant.records.store import Store, open_store
from assistant.replaying import Replayer
from assistant.settings import Settings
from assistant.web.chat import Answers, Room
from assistant.web.gate import Gate, Pace, is_loopback, visitor_of
from assistant.web.links import site_links
from assistant.web.markup import render
from assistant.web.registry import Registry
from assistant.web.sheet import Stock
from assistant.web.thread import Example, load_examples
from assistant.web.uploads import uploads_folder

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI
    from gradio import Blocks

__all__ = ["Example", "Served", "build_app", "check_address", "launch", "load_examples", "serve"]

_STATIC = Path(__file__).parent / "static"
_PATIENCE = 60.0  # seconds for the server to begin


def build_app(
    advisor: Answers,
    stock: Stock,
    settings: Settings,
    examples: Sequence[Example],
    office: wiring.Office | None = None,
    store: Store | None = None,
    drafter: Callable[[], Drafter] | None = None,
    replayer: Callable[[], Replayer] | None = None,
) -> FastAPI:
    """All pages, not yet open, behind the gate. ``state.registry`` of what is returned holds what is kept,
    ``state.code`` the one-time code for the first administrator.

    Args:
        stock: gives the provisions behind the sources.
        office: for the page of the knowledge base; without it there is the chat only.
        store: what is kept between visits; the one of the settings where none is given.
        drafter: writes drafts from what is in stock now.
        replayer: makes answers again for receipts, without a language model.
    """
    # Gradio and its hub client read these once, when they are imported; hence the late import.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(uploads_folder(settings.data))
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_OFFLINE"] = "1"
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from assistant.web import administration, chat_page, display, knowledge_page, signing
    from assistant.web.pages import add_refusals

    registry = Registry(store or open_store(settings), settings)
    room = Room(
        advisor=advisor,
        listener=make_listener(settings),
        stock=stock,
        settings=settings,
        names=load_names(settings.knowledge),
        drafter=drafter,
        replayer=replayer,
        kept=registry.conversations if settings.keep_history else None,
        box=registry.feedback,
        pace=Pace(settings.questions_per_minute).check,
    )
    pages = chat_page.build_app(
        room,
        examples,
        owner_of=lambda request: visitor_of(request).owner,
        links=lambda request: render("nav.html.j2", links=site_links(visitor_of(request), "chat")),
    )
    if office:
        knowledge_page.add_page(pages, office, registry.audit)
    pages.state_session_capacity = 200
    site = FastAPI(title="责明", docs_url=None, redoc_url=None, openapi_url=None)
    site.state.registry, site.state.code = registry, signing.make_code()
    site.add_middleware(Gate, settings=settings, accounts=registry.accounts)
    add_refusals(site)

    def label_of(id: str) -> str:
        provision = stock.get(id)
        return provision.label if provision else id

    verdicts = Prompts(settings.prompts).wording("labels.yaml")["scope"]
    site.include_router(signing.add_pages(registry, site.state.code))
    site.include_router(administration.add_pages(registry, verdicts, label_of))
    site.include_router(display.add_pages())
    site.mount("/own", StaticFiles(directory=_STATIC), name="static")
    _mount(site, pages, settings, takes_files=office is not None)
    return site


def _mount(site: FastAPI, pages: Blocks, settings: Settings, takes_files: bool) -> None:
    """Put Gradio's pages into the site, with all switched off that keeps, shares or reports what people write."""
    import gradio

    from assistant.web.chat_page import theme

    pages.queue(api_open=False, default_concurrency_limit=None)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="SSR mode")  # which is off anyway
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
            max_file_size=f"{settings.max_file_mb}mb" if takes_files else "1kb",
            blocked_paths=[str(settings.data.resolve())],  # what was uploaded is never served
            theme=theme(),
            # linked, not given to Gradio, which would write each rule anew and put it in only after the first paint
            head='<link rel="icon" href="/own/icon.svg">'
            + "".join(f'<link rel="stylesheet" href="/own/{name}.css">' for name in ("chat", "web"))
            + "".join(f'<script src="/own/{name}.js"></script>' for name in ("look", "pages", "chat")),
        )


def check_address(settings: Settings) -> None:
    """Whether the page can be opened there.

    Raises:
        SettingsError: other machines would get in without signing in, the certificate cannot be used, or the
            address or port cannot be had.
    """
    if not is_loopback(settings.host) and not settings.accounts:
        raise SettingsError(
            f"监听 {settings.host} 会让别的电脑也能打开网页，必须先要求登录：请设 ZEMING_ACCOUNTS=true；"
            "只在本机使用的，请把 ZEMING_HOST 设为 127.0.0.1。"
        )
    _check_certificate(settings)
    try:
        with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
            if sys.platform != "win32":  # there it would let two programs share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(
                f"这台电脑没有 {settings.host} 这个地址，请改正 ZEMING_HOST 后重试。"
            ) from error
        raise _taken(settings) from error


def _check_certificate(settings: Settings) -> None:
    """Whether there is a certificate with its key, or none at all."""
    cert, key = settings.tls_cert, settings.tls_key
    if bool(cert) != bool(key):
        raise SettingsError("ZEMING_TLS_CERT 和 ZEMING_TLS_KEY 要么都写，要么都不写；请补上缺的一个。")
    if cert:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=_no_password)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise SettingsError(
                f"网页证书 {cert} 或它的私钥 {key} 读不出来或者不配对（私钥不能带密码），请检查"
                "ZEMING_TLS_CERT 和 ZEMING_TLS_KEY。"
            ) from error


def _no_password() -> str:
    """In place of the question that would wait in the terminal."""
    raise ValueError("a key with a password")


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
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
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
    scheme = "https" if settings.tls_cert else "http"
    return Served(f"{scheme}://{host}:{settings.port}", server, thread)


def serve(settings: Settings, progress: Progress | None = None) -> None:
    """Start the page, print its address and stay until interrupted. Raises as :func:`check_address`."""
    check_address(settings)  # before the slow part
    office = wiring.Office(settings, progress or _announce, answers=settings.workers == 1)
    crew = wiring.Crew(office)
    examples = load_examples(settings.prompts)
    try:
        app = build_app(
            crew,
            office,
            settings,
            examples,
            office,
            drafter=lambda: office.parts(wait=False).drafter,
            replayer=crew.replayer,
        )
        _stay_open(app, settings, crew)
    finally:
        crew.close()


def _stay_open(app: FastAPI, settings: Settings, crew: wiring.Crew) -> None:
    served = launch(app, settings)
    crew.start()
    end_sweeping = app.state.registry.keep_swept()
    print(f"责明已经打开：{served.address} （按 Ctrl+C 停止）", flush=True)
    for line in notices(settings, app.state.registry, app.state.code, served.address):
        print(line, flush=True)
    if sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(served.address)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        end_sweeping()
        served.close()
        print("责明已停止。", flush=True)


def notices(settings: Settings, registry: Registry, code: str, address: str) -> list[str]:
    """What whoever starts the program must know besides the address."""
    lines = []
    if settings.accounts and not registry.accounts.any():
        lines.append(f"还没有管理员。请打开 {address}/setup ，用一次性代码 {code} 设第一个管理员。")
    if not is_loopback(settings.host) and not settings.tls_cert:
        lines.append(
            "注意：没有设网页证书，密码和提问在网络上是明文传送的，除非前面有做 https 的代理；"
            "请设 ZEMING_TLS_CERT 和 ZEMING_TLS_KEY。"
        )
    return lines


@contextmanager
def _announce(total: int, what: str) -> Iterator[Callable[[int], object]]:
    print(f"{what}（共 {total} 条，第一次约需一两分钟）……", flush=True)
    yield lambda _: None
