"""A real HTTP server on this machine that answers like an official site, for the tests of fetching and syncing.

The statute is invented. Pages have the shape of those of the Party-regulation library: an article inside a page with
navigation, a source line and a footer.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TITLE = "试验工作条例"
ARTICLES = (
    "为了规范试验工作，明确试验人员的职责，制定本条例。",
    "本条例适用于各级试验站及其工作人员。",
    "试验人员发现仪器异常的，应当在十日内向站长书面报告。",
    "有下列情形之一的，应当停止试验：|（一）仪器损坏的；|（二）人员不足的；|（三）其他不能保证安全的情形。",
    "站长不得要求试验人员伪造数据。|试验人员有权拒绝，并可以向上级试验站反映。",
    "试验站应当建立档案，保管期限不少于五年。",
    "违反本条例的，由上级试验站责令改正。",
    "本条例自2024年5月1日起施行。",
)
_NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True)
class Said:
    """What the server answers to one request."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0  # seconds of silence before it
    content_type: str = "text/html"


Answering = Said | Sequence[Said] | Callable[[Mapping[str, str]], Said]


@dataclass(frozen=True)
class Asked:
    path: str
    host: str
    headers: Mapping[str, str]
    at: float

    @property
    def query(self) -> dict[str, str]:
        fields = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}


class LocalSite:
    """Answers by path; a sequence is answered one after the other, the last one again and again. Remembers what it was
    asked; ``pages`` leaves out robots.txt, which is 404 unless it is given."""

    def __init__(self, answers: Mapping[str, Answering], context: ssl.SSLContext | None) -> None:
        self.answers = dict(answers)
        self.asked: list[Asked] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append(
                    Asked(self.path, self.headers["Host"], dict(self.headers.items()), time.monotonic())
                )
                said = site._answer(self.path, dict(self.headers.items()))
                time.sleep(said.after)
                self.send_response(said.status)
                headers = {
                    "Content-Type": said.content_type,
                    "Content-Length": str(len(said.body)),
                    **said.headers,
                }
                for name, value in headers.items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                if said.status != 304:
                    self.wfile.write(said.body)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # the other side hung up, as it should

        self._server = Quiet(("127.0.0.1", 0), Handler)
        scheme = "http"
        if context is not None:
            scheme = "https"
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.base = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def pages(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path != "/robots.txt"]

    def _answer(self, path: str, headers: Mapping[str, str]) -> Said:
        answers = self.answers.get(path) or self.answers.get(urlsplit(path).path) or Said(status=404)
        if isinstance(answers, Said):
            return answers
        if callable(answers):
            return answers(headers | {"path": path})
        before = sum(asked.path == path for asked in self.asked) - 1
        return answers[min(before, len(answers) - 1)]

    def __enter__(self) -> LocalSite:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def local_site(
    answers: Mapping[str, Answering], context: ssl.SSLContext | None = None
) -> Iterator[LocalSite]:
    with LocalSite(answers, context) as site:
        yield site


# ---------------------------------------------------------------- pages of the invented statute


def lines_of(articles: Sequence[str], left_out: Sequence[int] = ()) -> list[str]:
    """The lines as they stand on a page; a bar parts paragraphs and items."""
    lines = []
    for n, words in enumerate(articles, 1):
        if n not in left_out:
            first, *more = words.split("|")
            lines += [f"第{_NUMERALS[n - 1]}条　{first}", *more]
    return lines


def article_page(
    articles: Sequence[str] = ARTICLES,
    title: str = TITLE,
    left_out: Sequence[int] = (),
    charset: str = "utf-8",
) -> bytes:
    """An article page with navigation, source line, share links and footer."""
    body = "\n".join(f"<p>　　{line}</p>" for line in lines_of(articles, left_out))
    return f"""<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}">
<title>{title}_试验网</title>
<script>var share = "第一条 这不是正文";</script><style>p {{ margin: 0 }}</style></head>
<body>
<div class="nav"><ul><li><a href="/">首页</a></li><li><a href="/fg">法规</a></li>
<li><a href="/jd">解读</a></li></ul></div>
<div class="path">当前位置：<a href="/">首页</a> &gt; <a href="/fg">法规</a></div>
<div class="article">
<h1 class="title">{title}</h1>
<p class="info">来源：试验网　发布时间：2024-04-20 10:00　字号：<a href="#">大</a> <a href="#">中</a></p>
<div class="word">
<p style="text-align:center">（2024年4月10日试验委员会会议通过　2024年4月20日发布）</p>
{body}
</div></div>
<div class="related"><h3>相关阅读</h3><ul><li><a href="/a">试验站工作纪实</a></li></ul></div>
<div class="footer">版权所有 试验网 未经许可不得转载</div>
</body></html>""".encode(charset)


def search_page(rows: Sequence[Mapping[str, str]], total: int, size: int = 10) -> Said:
    """What the search of the Party-regulation library answers."""
    results = {"status": "ok", "searchVO": {"totalcount": total, "maxPageSize": size, "listVO": list(rows)}}
    body = f"callback_search({json.dumps(results, ensure_ascii=False)})".encode()
    return Said(body, content_type="application/javascript; charset=utf-8")
