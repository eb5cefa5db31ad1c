"""The pages of the site that a visitor may open, for the head of every page."""

from __future__ import annotations

from typing import Literal

from assistant.web.gate import Visitor

Here = Literal["", "chat", "knowledge", "admin", "account"]


def site_links(visitor: Visitor | None, here: Here = "") -> list[tuple[str, str, bool]]:
    """Address, label and whether it is the page that is open. Without a visitor there is nothing to open yet.

    >>> site_links(Visitor("browser:1", None), "chat")
    [('/', '问答', True), ('/knowledge', '知识库', False), ('/admin', '管理', False)]
    """
    if visitor is None or (visitor.accounts and visitor.account is None):
        return []
    links = [("/", "问答", here == "chat"), ("/knowledge", "知识库", here == "knowledge")]
    if visitor.trains:
        links.append(("/admin", "管理", here == "admin"))
    if visitor.account:
        links += [("/account", "我的账号", here == "account"), ("/signout", "退出", False)]
    return links
