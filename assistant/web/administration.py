"""The pages of the administrator: accounts, what people said of answers, and the log of sign-ins and changes.

Comes in: forms. Goes out: pages, and evaluation rows as a file. Every deed asks again whether this visitor may.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from assistant.errors import AccountError
from assistant.records.accounts import ROLES, Role
from assistant.records.feedback import Feedback
from assistant.web.gate import Visitor, visitor_of
from assistant.web.pages import Refused, checked, go, page
from assistant.web.registry import Registry

_LONGEST_NOTE = 500
_STATES: dict[str, tuple[str, bool | None]] = {
    "open": ("未处理", False),
    "done": ("已处理", True),
    "all": ("全部", None),
}
_DONE = {
    "added": "账号已经开好。",
    "role": "角色已经改好。",
    "off": "账号已经停用，他的登录都已退出。",
    "on": "账号已经启用。",
    "password": "密码已经重设，请把新密码当面告诉本人，让他登录后改掉。",
    "unlocked": "已经解锁，可以再登录。",
    "reviewed": "已经处理。",
    "reopened": "已经放回未处理。",
    "removed": "已经删除，不能恢复。",
}

Written = Annotated[str, Form()]


def add_pages(registry: Registry, verdicts: Mapping[str, str], label_of: Callable[[str], str]) -> APIRouter:
    """The pages under ``/admin``.

    Args:
        registry: what is kept.
        verdicts: the labels of conclusions in words.
        label_of: the words for a provision's id, as "《中国共产党问责条例》第七条".
    """
    router = APIRouter(prefix="/admin", default_response_class=Response)
    accounts, box, audit, settings = registry.accounts, registry.feedback, registry.audit, registry.settings
    form = [Depends(checked)]

    def administrator(request: Request) -> Visitor:
        visitor = visitor_of(request)
        if not visitor.administers:
            raise Refused("这里只有管理员能用；需要的话，请找管理员。")
        return visitor

    def trainer(request: Request) -> Visitor:
        visitor = visitor_of(request)
        if not visitor.trains:
            raise Refused("这里只有管理员和培训员能用；需要的话，请找管理员。")
        return visitor

    def show(
        request: Request, template: str, tab: Literal["users", "feedback", "log"], title: str,
        status: int = 200, **values: Any,
    ) -> Response:  # fmt: skip
        tabs = [("/admin/feedback", "反馈", tab == "feedback")]
        if visitor_of(request).administers:
            tabs = [
                ("/admin/users", "账号", tab == "users"),
                *tabs,
                ("/admin/log", "登录和变动", tab == "log"),
            ]
        return page(request, template, "admin", status, title, tabs=tabs, **values)

    @router.get("")
    def arrive(request: Request) -> Response:
        return go("/admin/users" if trainer(request).administers and settings.accounts else "/admin/feedback")

    # ------------------------------------------------------------ accounts

    def users(request: Request, problem: str = "", said: str = "", name: str = "") -> Response:
        return show(
            request, "users.html", "users", "账号", 400 if problem else 200,
            on=settings.accounts, accounts=accounts.listed() if settings.accounts else (), roles=ROLES,
            problem=problem, said=said, name=name,
        )  # fmt: skip

    @router.get("/users")
    def show_users(request: Request, said: str = "") -> Response:
        administrator(request)
        return users(request, said=_DONE.get(said, ""))

    def changed(request: Request, deed: Callable[[str], object], said: str, name: str = "") -> Response:
        """Do it in the administrator's name; say so, or why not."""
        visitor = administrator(request)
        if not settings.accounts:
            raise Refused("还没有开启账号。")
        try:
            deed(visitor.name)
        except AccountError as error:
            return users(request, str(error), name=name)
        return go(f"/admin/users?said={said}")

    @router.post("/users", dependencies=form)
    def add(request: Request, name: Written = "", password: Written = "", role: Written = "") -> Response:
        def deed(by: str) -> object:
            return accounts.create(name, password, cast(Role, role), by=by)

        return changed(request, deed, "added", name)

    @router.post("/users/{id}/role", dependencies=form)
    def set_role(request: Request, id: int, role: Written = "") -> Response:
        return changed(request, lambda by: accounts.set_role(id, cast(Role, role), by=by), "role")

    @router.post("/users/{id}/active", dependencies=form)
    def set_active(request: Request, id: int, active: Written = "") -> Response:
        on = active == "on"
        return changed(request, lambda by: accounts.set_active(id, on, by=by), "on" if on else "off")

    @router.post("/users/{id}/password", dependencies=form)
    def set_password(request: Request, id: int, password: Written = "") -> Response:
        return changed(request, lambda by: accounts.set_password(id, password, by=by), "password")

    @router.post("/users/{id}/unlock", dependencies=form)
    def unlock(request: Request, id: int) -> Response:
        return changed(request, lambda by: accounts.unlock(id, by=by), "unlocked")

    # ------------------------------------------------------------ feedback

    @router.get("/feedback")
    def show_feedback(request: Request, state: str = "open", said: str = "") -> Response:
        visitor = trainer(request)
        state = state if state in _STATES else "open"
        rows = [_row(f, verdicts, label_of) for f in box.listed(_STATES[state][1])]
        states = [
            (f"/admin/feedback?state={key}", label, key == state) for key, (label, _) in _STATES.items()
        ]
        return show(
            request, "feedback.html", "feedback", "反馈", rows=rows, states=states, state=state,
            handles=visitor.administers, verdicts=verdicts, said=_DONE.get(said, ""),
            exported=len(box.evaluation_rows()),
        )  # fmt: skip

    @router.post("/feedback/{id}/review", dependencies=form)
    def review(
        request: Request, id: int, note: Written = "", verdict: Written = "", handled: Written = "yes",
        state: Written = "open",
    ) -> Response:  # fmt: skip
        visitor, done = administrator(request), handled == "yes"
        words = note.strip()[:_LONGEST_NOTE]
        # the conclusion that would be right stands before the note: the evaluation rows read it there
        if not box.review(id, f"{verdict} {words}".strip() if verdict in verdicts else words, done):
            raise Refused("这条反馈已经不在了，请返回看看。", 404)
        audit.note(visitor.name, "处理反馈" if done else "把反馈放回未处理", f"第 {id} 条")
        return _back(state, "reviewed" if done else "reopened")

    @router.post("/feedback/{id}/remove", dependencies=form)
    def remove(request: Request, id: int, state: Written = "open") -> Response:
        visitor = administrator(request)
        if not box.remove(id):
            raise Refused("这条反馈已经不在了，请返回看看。", 404)
        audit.note(visitor.name, "删除反馈", f"第 {id} 条")
        return _back(state, "removed")

    @router.get("/feedback.jsonl")
    def export(request: Request) -> Response:
        visitor = trainer(request)
        rows = box.evaluation_rows()
        audit.note(visitor.name, "导出反馈", f"{len(rows)} 行")
        words = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        name = {"content-disposition": 'attachment; filename="feedback.jsonl"'}
        return Response(words, media_type="application/jsonl; charset=utf-8", headers=name)

    # ------------------------------------------------------------ the log

    @router.get("/log")
    def show_log(request: Request) -> Response:
        administrator(request)
        return show(request, "log.html", "log", "登录和变动", events=audit.listed())

    return router


def _back(state: str, said: str) -> Response:
    return go(f"/admin/feedback?state={state if state in _STATES else 'open'}&said={said}")


def _row(feedback: Feedback, verdicts: Mapping[str, str], label_of: Callable[[str], str]) -> dict[str, Any]:
    """What the page shows of one opinion."""
    first, _, rest = feedback.note.partition(" ")
    named = first in verdicts
    return {
        "id": feedback.id,
        "given": feedback.given,
        "right": feedback.right,
        "reason": feedback.reason,
        "clause": label_of(feedback.clause),
        "scenario": feedback.scenario,
        "verdict": verdicts.get(feedback.scope or "", ""),
        "clauses": [label_of(id) for id in feedback.clauses],
        "day": feedback.day.isoformat(),
        "reviewed": feedback.reviewed,
        "should": first if named else "",
        "note": rest if named else feedback.note,
    }
