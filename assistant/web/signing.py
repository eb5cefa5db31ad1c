"""Signing in and out, the first administrator, and one's own password.

Comes in: forms. Goes out: a session in the browser's cookie, and pages. Every sign-in is noted, passwords nowhere.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from assistant.errors import AccountError, QuestionError
from assistant.records.accounts import ROLES
from assistant.web.gate import Pace, cookie_line, cookie_of, own_path, visitor_of
from assistant.web.pages import Refused, checked, go, page
from assistant.web.registry import Registry

_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that looks like another
_TRIES = 20  # per minute and address
_FORGOT = "忘了密码请找管理员重设。"
_REASONS = {"idle": "太久没有操作，请重新登录。", "out": "已经退出。"}

Written = Annotated[str, Form()]


def make_code() -> str:
    """The one-time code for the first administrator, shown in the terminal only."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def add_pages(registry: Registry, code: str) -> APIRouter:
    """The pages ``/signin``, ``/signout``, ``/setup`` and ``/account``."""
    router = APIRouter(default_response_class=Response)
    accounts, settings = registry.accounts, registry.settings
    pace = Pace(_TRIES, "试得太频繁了，请等 {} 秒再试。")
    form = [Depends(checked)]

    def address_of(request: Request) -> str:
        return request.client.host if request.client else ""

    def entered(request: Request, token: str, next: str) -> Response:
        answer = go(own_path(next))
        answer.headers["set-cookie"] = cookie_line(request.scope, settings, token)
        return answer

    # ------------------------------------------------------------ in

    def signin(request: Request, next: str, name: str = "", problem: str = "", said: str = "") -> Response:
        return page(
            request, "signin.html", title="登录", status=401 if problem else 200,
            next=own_path(next), name=name, problem=problem, said=said, forgot=_FORGOT,
        )  # fmt: skip

    @router.get("/signin")
    def show_signin(request: Request, next: str = "/", why: str = "") -> Response:
        if not settings.accounts:
            return go("/")
        if not accounts.any():
            return go("/setup")
        if visitor_of(request).account:
            return go(own_path(next))
        return signin(request, next, said=_REASONS.get(why, ""))

    @router.post("/signin", dependencies=form)
    def sign_in(
        request: Request, name: Written = "", password: Written = "", next: Written = "/"
    ) -> Response:
        if not settings.accounts:
            return go("/")
        name = name.strip()
        try:
            pace.check(address_of(request))
            token = accounts.sign_in(name, password)
        except (AccountError, QuestionError) as error:
            return signin(request, next, name, str(error))
        if before := cookie_of(request):
            accounts.sign_out(before)
        return entered(request, token, next)

    # ------------------------------------------------------------ out

    @router.get("/signout")
    def show_signout(request: Request) -> Response:
        return page(request, "signout.html", title="退出") if visitor_of(request).account else go("/")

    @router.post("/signout", dependencies=form)
    def sign_out(request: Request) -> Response:
        if not visitor_of(request).account:
            return go("/")
        accounts.sign_out(cookie_of(request))
        answer = go("/signin?why=out")
        answer.headers["set-cookie"] = cookie_line(request.scope, settings, "")
        return answer

    # ------------------------------------------------------------ the first administrator

    def setup(request: Request, name: str = "", problem: str = "") -> Response:
        status = 400 if problem else 200
        return page(request, "setup.html", title="第一次使用", status=status, name=name, problem=problem)

    @router.get("/setup")
    def show_setup(request: Request) -> Response:
        if not settings.accounts:
            return go("/")
        return go("/signin") if accounts.any() else setup(request)

    @router.post("/setup", dependencies=form)
    def set_up(
        request: Request, given: Annotated[str, Form(alias="code")] = "", name: Written = "",
        password: Written = "", again: Written = "",
    ) -> Response:  # fmt: skip
        if not settings.accounts or accounts.any():
            raise Refused("已经有管理员了，请直接登录。")
        name = name.strip()
        try:
            pace.check(address_of(request))
            if not compare_digest(_bare(given).encode(), _bare(code).encode()):
                raise AccountError("一次性代码不对，请照着终端里显示的写。")
            _same(password, again)
            accounts.create_first(name, password)
        except (AccountError, QuestionError) as error:
            return setup(request, name, str(error))
        return entered(request, accounts.sign_in(name, password), "/")

    # ------------------------------------------------------------ one's own password

    def own(request: Request, problem: str = "", said: str = "") -> Response:
        return page(
            request, "account.html", "account", title="我的账号", status=400 if problem else 200,
            account=visitor_of(request).account, roles=ROLES, problem=problem, said=said, forgot=_FORGOT,
        )  # fmt: skip

    @router.get("/account")
    def show_account(request: Request) -> Response:
        return own(request) if visitor_of(request).account else go("/")

    @router.post("/account", dependencies=form)
    def change(request: Request, old: Written = "", new: Written = "", again: Written = "") -> Response:
        account = visitor_of(request).account
        if not account:
            return go("/")
        try:
            pace.check(address_of(request))
            _same(new, again)
            accounts.change_password(account.id, old, new, keep=cookie_of(request))
        except (AccountError, QuestionError) as error:
            return own(request, str(error))
        return own(request, said="密码已经改好，别处的登录都已退出。")

    return router


def _bare(code: str) -> str:
    return "".join(c for c in code.upper() if c.isalnum())


def _same(password: str, again: str) -> None:
    if password != again:
        raise AccountError("两次写的密码不一样，请再写一次。")
