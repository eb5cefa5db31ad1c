"""Pages that the server writes itself: templates, the token of their forms, and one sentence where there is no page.

Comes in: plain values. Goes out: HTML in which only the tags of ``templates/`` are live.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from assistant.errors import RecordsError, ZemingError
from assistant.web.gate import SCOPE, Visitor, token_of
from assistant.web.links import Here, site_links
from assistant.web.markup import render

_SECRET = secrets.token_bytes(32)  # of this start; forms of an earlier one are asked for again
# nothing inline: scripts and styles are files of ours
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class Refused(ZemingError):
    """A page or a deed that this visitor does not get."""

    def __init__(self, message: str, status: int = 403) -> None:
        self.status = status
        super().__init__(message)


def page(
    request: Request, template: str, here: Here = "", status: int = 200, title: str = "", **values: Any
) -> HTMLResponse:
    """One page. ``token`` and the links of the head are known to every template."""
    visitor: Visitor | None = request.scope.get(SCOPE)
    words = render(
        template,
        links=site_links(visitor, here),
        visitor=visitor,
        token=token_of(request, _SECRET),
        title=title,
        **values,
    )
    # nothing is told to other sites; our own forms say where they come from, which older browsers need
    careful = {"content-security-policy": _POLICY, "referrer-policy": "same-origin"}
    return HTMLResponse(words, status, careful)


def go(address: str) -> RedirectResponse:
    """On to another page, which is asked for anew."""
    return RedirectResponse(address, status_code=303)


async def checked(request: Request) -> None:
    """Whether the form was written by this site for this browser; a dependency of all that take forms.

    Raises:
        Refused: it was not, or the program was started anew since.
    """
    form = await request.form()
    if not compare_digest(str(form.get("token", "")).encode(), token_of(request, _SECRET).encode()):
        raise Refused("这个页面放得太久了，请返回、刷新以后再做一次。")


def add_refusals(site: FastAPI) -> None:
    """One sentence for whoever asks for what there is not, or what he may not."""

    def refused(request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, Refused) else 503
        return page(request, "refused.html", status=status, title="没有做成", sentence=str(error))

    def unreadable(_request: Request, _error: Exception) -> Response:
        sentence = "发送的内容读不懂，没有接受。"
        return JSONResponse({"error": sentence, "detail": sentence}, 422)

    site.add_exception_handler(Refused, refused)
    site.add_exception_handler(RecordsError, refused)
    site.add_exception_handler(RequestValidationError, unreadable)
