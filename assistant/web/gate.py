"""Who is asking, and whether the request may come in: stands before every page, also those of Gradio.

Comes in: each request of a browser. Goes out: the same request with a :class:`Visitor` in its scope, or one sentence
why not; every answer leaves with the headers that tell browsers to be careful.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import math
import secrets
import time
from dataclasses import dataclass
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import anyio
import limits
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders

from assistant.errors import QuestionError, RecordsError
from assistant.records.accounts import Account, Accounts
from assistant.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCOPE = "zeming.visitor"
_COOKIE = "zeming.cookie"
_VISIT = "visit."  # cookies of visits begin so; those of accounts do not
_OPEN = ("/own/", "/signin", "/setup")
_UPLOADS = "/gradio_api/upload"  # Gradio limits these itself
_LARGEST = 2 * 1024 * 1024  # bytes of a request that is no upload
_AWAY = "请先登录。"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# What Gradio's pages need; our own pages are stricter, see assistant.web.pages.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; frame-src 'none'; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'self'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}


@dataclass(frozen=True)
class Visitor:
    """Who asks. ``owner`` is what is kept under: an account, or this one browser."""

    owner: str
    account: Account | None
    accounts: bool = False  # whether the office has switched accounts on

    @property
    def administers(self) -> bool:
        """Without accounts, the person at this machine is the administrator."""
        return not self.accounts or (self.account is not None and self.account.role == "administrator")

    @property
    def trains(self) -> bool:
        """Whether documents may be added, corrected and removed, and feedback be exported."""
        return self.administers or (self.account is not None and self.account.role == "trainer")

    @property
    def name(self) -> str:
        """What the log of changes says."""
        return self.account.name if self.account else "本机"


def visitor_of(request: Any) -> Visitor:
    """The visitor of a request, be it Starlette's or Gradio's.

    Raises:
        KeyError: the request did not come through the gate.
    """
    inner: Request = getattr(request, "request", request)
    visitor: Visitor = inner.scope[SCOPE]
    return visitor


def token_of(request: Request, secret: bytes) -> str:
    """What a form of this browser must send along; a page of another site cannot know it."""
    cookie: str = request.scope.get(_COOKIE, "")
    return hmac.new(secret, cookie.encode(), hashlib.sha256).hexdigest()


def cookie_of(request: Request) -> str:
    """The session of the account that sent the request, "" where there is none."""
    cookie: str = request.scope.get(_COOKIE, "")
    return "" if cookie.startswith(_VISIT) else cookie


def cookie_line(scope: Scope, settings: Settings, value: str) -> str:
    """The header that puts the session into the browser, until it is closed; with "" it is taken out."""
    secure = scope.get("scheme") == "https"
    ends = "" if value else "; Max-Age=0"
    return (
        f"{_cookie_name(scope, settings)}={value}; Path=/; HttpOnly; SameSite=Strict"
        + ("; Secure" if secure else "")
        + ends
    )


def _cookie_name(scope: Scope, settings: Settings) -> str:
    # a name for each port, as browsers give the cookies of one port to all others of a machine
    return ("__Host-" if scope.get("scheme") == "https" else "") + f"zeming-{settings.port}"


def own_path(written: str) -> str:
    """A path of this site to go on to; "/" for anything else.

    >>> own_path("/knowledge?x=1"), own_path("//evil.example"), own_path("https://evil.example"), own_path("/\\\\e")
    ('/knowledge?x=1', '/', '/', '/')
    """
    bad = not written.startswith("/") or written.startswith("//") or "\\" in written
    if bad or any(ord(c) < 33 or ord(c) == 127 for c in written) or len(written) > 500:
        return "/"
    path = urlsplit(written).path
    return "/" if path.startswith(("/signin", "/signout", "/setup")) else written


class Pace:
    """How often one person may ask, and one address may try to sign in."""

    def __init__(self, per_minute: int, sentence: str = "问得太快了，请等 {} 秒再问。") -> None:
        self._item = limits.RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._sentence = sentence

    def check(self, owner: str) -> None:
        """Count one more.

        Raises:
            QuestionError: too many within a minute; the sentence says how many seconds to wait.
        """
        if not self._limiter.hit(self._item, owner):
            ends = self._limiter.get_window_stats(self._item, owner).reset_time
            raise QuestionError(self._sentence.format(max(1, math.ceil(ends - time.time()))))


class Gate:
    """The middleware."""

    def __init__(self, app: ASGIApp, settings: Settings, accounts: Accounts) -> None:
        self._app, self._settings, self._accounts = app, settings, accounts
        self._threads: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:  # the pages use no websockets
            await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        found = _cookie(headers, _cookie_name(scope, self._settings))
        cookie = found or _VISIT + secrets.token_urlsafe(32)
        page = scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", "")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(raw=message["headers"])
                self._careful(scope, said)
                if page and not found and "set-cookie" not in said:
                    said.append("set-cookie", cookie_line(scope, self._settings, cookie))
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal:
            await _say(answer, *refusal)
            return
        if page and not found and headers.get("sec-fetch-site") == "cross-site":
            # A link on another site was followed: the browser keeps a strict cookie back, and gives it on the
            # next step, which is from here. A cookie of a new visit would take the place of the one it has.
            found = cookie
            await _step(answer, _target(scope))
            return
        try:
            account = await self._account(cookie)
        except RecordsError as error:
            await _say(answer, 503, str(error))
            return
        if self._settings.accounts:
            if account is None and not _is_open(scope["path"]):
                if page:
                    why = "&why=idle" if found and not cookie.startswith(_VISIT) else ""
                    await _go(answer, f"/signin?next={quote(own_path(_target(scope)), safe='/')}{why}")
                else:
                    await _say(answer, 401, _AWAY)
                return
            owner = f"user:{account.id}" if account else ""
        else:
            owner = "browser:" + hashlib.sha256(cookie.encode()).hexdigest()
        visitor = Visitor(owner, account, self._settings.accounts)
        if scope["path"].startswith(_UPLOADS) and not visitor.trains:
            await _say(answer, 403, "您的账号不能添加文件，请找管理员。")
            return
        scope[SCOPE], scope[_COOKIE] = visitor, cookie
        await self._app(scope, receive, answer)

    async def _account(self, cookie: str) -> Account | None:
        if not self._settings.accounts or cookie.startswith(_VISIT):
            return None
        # threads of its own: while many questions are being answered, the gate still opens
        self._threads = self._threads or anyio.CapacityLimiter(8)
        return await anyio.to_thread.run_sync(self._accounts.who, cookie, limiter=self._threads)

    # ------------------------------------------------------------ what does not come in

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return (
                400,
                "网址里的主机名不是本站的；请用启动时显示的网址，或者在 ZEMING_SITE_NAMES 里写上这个名字。",
            )
        if scope["method"] in _SAFE:
            return None
        origin, site = headers.get("origin", "null"), headers.get("sec-fetch-site")
        if origin == "null":  # programs send none; browsers send this where no referrer is to be sent
            foreign = site != "same-origin" and (site is not None or "origin" in headers)
        else:
            foreign = urlsplit(origin).netloc.lower() != host.lower()
        if foreign:
            return 403, "这个请求来自别的网站，没有接受。"
        if scope["path"].startswith(_UPLOADS):
            return None
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return 411, "请求没有说明长度，没有接受。"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _LARGEST:
            return 413, "发送的内容太大，没有接受。"
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether the host is a name of this site; a foreign name that leads here gets around origins."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        names = {n.strip().lower() for n in self._settings.site_names.split(",") if n.strip()}
        if name in names or name == self._settings.host.lower():
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name == "localhost" and is_loopback(self._settings.host)
        # a bare address cannot be made to lead elsewhere
        return address.is_loopback or not is_loopback(self._settings.host)

    def _careful(self, scope: Scope, said: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            said.setdefault(name, value)
        if scope["path"].startswith("/assets/"):
            said["cache-control"] = (
                "public, max-age=31536000, immutable"  # Gradio's names change with the contents
            )
        elif scope["path"].startswith("/own/"):
            said["cache-control"] = "no-cache"  # kept, and asked for again
        else:
            said["cache-control"] = "no-store"
        if scope.get("scheme") == "https":
            said["strict-transport-security"] = "max-age=31536000"


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_open(path: str) -> bool:
    return any(path == door or (door.endswith("/") and path.startswith(door)) for door in _OPEN)


def _cookie(headers: Headers, name: str) -> str:
    """The value of the cookie, "" for none or for one that cannot be ours."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    value = morsel.value if morsel else ""
    plain = all(c.isalnum() or c in "-_." for c in value) and value.isascii()
    return value if plain and 20 <= len(value) <= 200 else ""


def _target(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return quote(scope["path"], safe="/=") + (f"?{query}" if query else "")


async def _say(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence, "detail": sentence}, ensure_ascii=False).encode()
    await _send(send, status, body, {"content-type": "application/json; charset=utf-8"})


async def _go(send: Send, address: str) -> None:
    await _send(send, 303, b"", {"location": address})


async def _step(send: Send, target: str) -> None:
    """A page that leads on to the same address, from this site."""
    address = escape(own_path(target))
    body = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>责明</title>'
        f'<meta http-equiv="refresh" content="0; url={address}"><p><a href="{address}">打开责明</a></p>'
    )
    await _send(send, 200, body.encode(), {"content-type": "text/html; charset=utf-8"})


async def _send(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
