"""Recording asked for by HTTP, on this machine only, by who knows a token.

One thread with an event loop; a connection is one request. What comes is bounded in size, time and number,
and nothing in it is looked at before its token is.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
import socket
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from reelway.errors import OpenError, OptionError, ReelwayError, StateError

if TYPE_CHECKING:
    from reelway.record.recorder import Recorder

__all__ = ["OnHttp"]

log = logging.getLogger("reelway.http")

HOST = "127.0.0.1"
MOST_HEAD = 8 << 10
"""Bytes of a request's head."""
LEAST_TOKEN = 8
"""Characters."""
REASONS = {
    100: "Continue", 200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 411: "Length Required", 413: "Content Too Large",
    431: "Request Header Fields Too Large", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip
ROUTES = {"/record": "POST", "/status": "GET"}


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Request(NamedTuple):
    """The head of a request; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]


class OnHttp:
    """`POST /record` has recorders record, `GET /status` says what they do, both as JSON.

    recorders         by name
    port              of 127.0.0.1; 0: any that is free, which `port` then says
    token             what `Authorization: Bearer TOKEN` has to bring; empty: one is made, see `token`
    most_bytes        of a body
    most_connections  at the same time
    deadline_s        for all of a request

    `?source=NAME` says which one records, by default all do. The body, which may be empty, is JSON, and comes
    into the metadata as `http`. The answer, 202, says `source` and `path` of each recording. Raises
    OptionError for a token that is too short or cannot be sent, and for what is no port; OpenError for a port
    that cannot be had.
    """

    def __init__(
        self,
        recorders: Mapping[str, Recorder],
        port: int = 0,
        token: str = "",
        *,
        most_bytes: int = 64 << 10,
        most_connections: int = 16,
        deadline_s: float = 5.0,
    ) -> None:
        self.token = token or secrets.token_urlsafe(24)
        if len(self.token) < LEAST_TOKEN or not all("!" <= each <= "~" for each in self.token):
            raise OptionError(
                "this token will not do", hint=f"at least {LEAST_TOKEN} characters of ASCII, without spaces"
            )
        if not 0 <= port < 1 << 16:
            raise OptionError(f"there is no port {port}", hint="0 to 65535; 0 is any that is free")
        self.most_bytes, self.most_connections, self.deadline_s = most_bytes, most_connections, deadline_s
        self._recorders = dict(recorders)
        self._open: set[asyncio.Task[Any]] = set()
        try:
            self._socket = socket.create_server((HOST, port))
        except OSError as error:
            raise OpenError(
                f"port {port} of {HOST} cannot be had: {error.strerror}",
                errno=error.errno,
                hint="take another one; 0 is any that is free",
            ) from error
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="reelway-http", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without the token."""
        return f"http://{HOST}:{self.port}"

    def close(self) -> None:
        """Answers nobody any more, and frees the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(self.deadline_s)

    # Its own thread

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._meet, sock=self._socket, limit=MOST_HEAD)
        await self._over.wait()
        server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        full = len(self._open) >= self.most_connections
        self._open.add(task)
        try:
            async with asyncio.timeout(self.deadline_s):
                if full:
                    _answer(writer, 503, {"error": "too many connections"})
                else:
                    await self._talk(reader, writer)
                await writer.drain()
                writer.write_eof()
                while not full and await reader.read(MOST_HEAD):  # who still sends would not see the answer
                    pass
        except (OSError, asyncio.CancelledError):  # it took too long, or hung up
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self.deadline_s * 0.8):
                request = await _head(reader)
                self._check(request)
                body = await self._body(request, reader, writer)
                code, said = await asyncio.to_thread(self._do, request, body)  # it looks at the disk
        except Refused as refused:
            code, said = refused.code, {"error": str(refused)}
        except TimeoutError:
            code, said = 408, {"error": "that took too long"}
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - a file name that a user's function makes, for one
            log.error("a request to %s failed: %s: %s", self.url, type(error).__name__, error)
            code, said = 500, {"error": "it failed; the log says why"}
        _answer(writer, code, said)

    def _check(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode("latin-1"), f"Bearer {self.token}".encode()):
            raise Refused(403, "the token is missing, or wrong: send Authorization: Bearer TOKEN")
        if request.path not in ROUTES:
            raise Refused(404, f"there is {' and '.join(ROUTES)}")
        if request.method != ROUTES[request.path]:
            raise Refused(405, f"{request.path} is for {ROUTES[request.path]}")

    async def _body(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        if "transfer-encoding" in request.headers:
            raise Refused(411, "say Content-Length")
        length = request.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise Refused(400, "Content-Length is no number")
        if len(length) > 18 or int(length) > self.most_bytes:
            raise Refused(413, f"a body has at most {self.most_bytes} bytes")
        if request.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            return await reader.readexactly(int(length))
        except asyncio.IncompleteReadError:
            raise Refused(400, "the body is shorter than Content-Length says") from None

    # A thread of the loop's

    def _do(self, request: Request, body: bytes) -> tuple[int, dict[str, Any]]:
        if request.path == "/status":
            return 200, {"sources": [self._status(name) for name in self._recorders]}
        try:
            given = json.loads(body) if body.strip() else None
        except (ValueError, RecursionError):
            raise Refused(400, "the body is no JSON") from None
        chosen = request.query.get("source") or list(self._recorders)
        if unknown := [name for name in chosen if name not in self._recorders]:
            raise Refused(404, f"no source {unknown[0]!r}: there is {', '.join(self._recorders)}")
        made = []
        for name in dict.fromkeys(chosen):
            try:
                made.append({"source": name, "path": self._recorders[name].record({"http": given}).path})
            except StateError:
                log.info("%s has ended, and cannot be recorded", name)
            except ReelwayError as error:
                raise Refused(503, str(error)) from error
        if not made:
            raise Refused(503, "nothing comes any more")
        return 202, {"recordings": made}

    def _status(self, name: str) -> dict[str, Any]:
        recorder = self._recorders[name]
        return {
            "name": name,
            "state": recorder.state.value,
            "busy": recorder.busy,
            "recordings": [recording.path for recording in recorder.recordings],
        }


async def _head(reader: asyncio.StreamReader) -> Request:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError:
        raise Refused(431, f"the head of a request has at most {MOST_HEAD} bytes") from None
    except asyncio.IncompleteReadError:
        raise Refused(400, "that is no request") from None
    first, headers = lines[0].split(" "), {}
    if len(first) != 3 or not first[2].startswith("HTTP/1."):
        raise Refused(400, "that is no request of HTTP/1.1")
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or name.lower() in headers:
            raise Refused(400, "a header is broken, or comes twice")
        headers[name.lower()] = value.strip()
    try:
        target = urlsplit(first[1])
        return Request(first[0], target.path, parse_qs(target.query), headers)
    except ValueError:
        raise Refused(400, "that address is none") from None


def _answer(writer: asyncio.StreamWriter, code: int, said: Mapping[str, Any]) -> None:
    body = json.dumps(said).encode() + b"\n"
    allow = f"Allow: {', '.join(sorted(set(ROUTES.values())))}\r\n" if code == 405 else ""
    head = (
        f"HTTP/1.1 {code} {REASONS[code]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{allow}Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode("ascii") + body)
