"""One request to an official site: verified, bounded in size and time, its failures put into one sentence each.

Comes in: an https address. Goes out: :class:`Answer`, of whatever status. Raises ``SyncError``: :class:`Temporary`
where asking again may help, :class:`Unreachable` where it will not, for no page of that host.
"""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import httpx

from assistant.errors import SettingsError, SyncError


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Temporary(SyncError):
    """Asking again may help. ``wait``: how many seconds the site wants to be left alone, where it says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class NoConnection(Temporary):
    """The host could not be connected to; if that stays so, no page of it can be had."""


class Unreachable(SyncError):
    """The host cannot be reached at all, or is not who it says it is."""


class Downloads:
    """Holds the connections. Certificates are always verified; there is no way to turn that off."""

    def __init__(
        self,
        agent: str,
        timeout: float,
        most_bytes: int,
        routes: Mapping[str, str],
        certificates: Path | None = None,
    ) -> None:
        """
        Args:
            timeout: seconds for the connection and for each silence; a whole answer may take four times as long.
            routes: where to connect instead of a host ("www.example.cn" -> "http://127.0.0.1:8000"): a server on this
                machine that stands in for the site. Certificates are checked for the name of the site.
            certificates: a file of further authorities to trust, e.g. that of an office's own gateway.

        Raises:
            SettingsError: a route leads to another machine, or the certificates cannot be read.
        """
        self._timeout = timeout
        self._most_bytes = most_bytes
        self._routes = {host: _on_this_machine(base) for host, base in routes.items()}
        context = httpx.create_ssl_context()
        if certificates is not None:
            try:
                context.load_verify_locations(certificates)
            except (OSError, ssl.SSLError):
                raise SettingsError(
                    f"证书文件“{certificates}”读不出来，请给出 PEM 格式的证书文件。"
                ) from None
        self._client = httpx.Client(
            verify=context,
            timeout=timeout,
            follow_redirects=False,
            trust_env=not routes,  # the proxy of an office; a stand-in on this machine needs none
            headers={"User-Agent": agent, "Accept-Encoding": "gzip", "Accept-Language": "zh-CN,zh;q=0.9"},
        )

    def close(self) -> None:
        self._client.close()

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask once."""
        host = httpx.URL(url).host
        try:
            request = self._request(url, host, headers)
            response = self._client.send(request, stream=True)
            try:
                body = b"".join(self._body(response, host))
            finally:
                response.close()
        except httpx.ConnectTimeout:
            raise NoConnection(f"{self._timeout:g} 秒连不上 {host}，请检查网络后再试。") from None
        except httpx.TimeoutException:
            raise Temporary(f"{host} 超过 {self._timeout:g} 秒没有回答，请稍后再试。") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _translated(error, host) from None
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)

    def _request(self, url: str, host: str, headers: Mapping[str, str]) -> httpx.Request:
        base = self._routes.get(host)
        if base is None:
            return self._client.build_request("GET", url, headers=dict(headers))
        there = httpx.URL(url).copy_with(scheme=base.scheme, host=base.host, port=base.port)
        return self._client.build_request(
            "GET", there, headers={**headers, "Host": host}, extensions={"sni_hostname": host}
        )

    def _body(self, response: httpx.Response, host: str) -> Iterator[bytes]:
        """The body, expanded no further than the limit: a small answer may be gigabytes when it is expanded."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", "deflate", ""):
            raise SyncError(f"{host} 的回答用了“{encoding[:20]}”压缩，读不了。")
        expand = zlib.decompressobj(wbits=47) if encoding not in ("identity", "") else None
        ends = time.monotonic() + 4 * self._timeout
        size = 0
        for chunk in response.iter_raw():
            if time.monotonic() > ends:
                raise Temporary(f"{host} 回答得太慢，{4 * self._timeout:g} 秒没有传完，请稍后再试。")
            try:
                piece = expand.decompress(chunk, self._most_bytes - size + 1) if expand else chunk
            except zlib.error:
                raise Temporary(f"{host} 的回答压缩坏了，请稍后再试。") from None
            size += len(piece)
            if size > self._most_bytes:
                raise SyncError(
                    f"{host} 的这一页超过 {self._most_bytes / 2**20:g} MB，不像法规正文，没有下载。"
                )
            yield piece
        if expand and not expand.eof and size:
            raise Temporary(f"{host} 的回答没有传完，请稍后再试。")


def _on_this_machine(base: str) -> httpx.URL:
    try:
        url = httpx.URL(base)
        local = url.host == "localhost" or ip_address(url.host).is_loopback
    except (httpx.InvalidURL, ValueError):
        local = False
    if not local or url.scheme not in ("http", "https"):
        raise SettingsError(f"替代地址“{base}”不在本机，只能写 http://127.0.0.1:端口 这样的地址。")
    return url


def _translated(error: Exception, host: str) -> SyncError:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(f"{host} 的证书通不过验证，没有下载，请检查网络是否被劫持或者单位网关的证书。")
        if isinstance(cause, ssl.SSLError):
            return Unreachable(f"与 {host} 建立加密连接失败，没有下载。")
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"找不到 {host}，没有联网或者域名解析失败，请联网后再试。")
    if isinstance(error, httpx.ProxyError):
        return Unreachable(f"代理服务器拒绝连接 {host}，请检查代理设置。")
    if isinstance(error, httpx.ConnectError):
        return NoConnection(f"连不上 {host}，请检查网络后再试。")
    if isinstance(error, httpx.TransportError):
        return Temporary(f"与 {host} 的连接中断了，请稍后再试。")
    return SyncError(f"{host} 的回答不合规范，没有下载。")


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__
