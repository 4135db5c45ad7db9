"""A client's side of RTSP (RFC 2326): asking what there is, how it may come, and for it to be sent.

One connection, blocking, each wait until one moment that is given. Streaming is `rtspsource`'s.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from reelway.engine.errors import quotable, reading
from reelway.engine.liverefusals import ESCAPED, check_place, find_host, no_answer, no_stream, refused_by
from reelway.engine.rtspauth import Authorization
from reelway.engine.rtspwire import MESSAGE, MORE, Message, Wire, request
from reelway.engine.sdpread import Description, NotOurs, Offer, read_description
from reelway.errors import FormatError, OpenError, ReelwayError, redact

__all__ = ["SEND_S", "Dialogue"]

PORT = 554
REDIRECTIONS = 5
ATTEMPTS = 3
"""So often a request is sent: without a word of who asks, with it, and once more where that was stale."""
MOST_EARLY_BYTES = 4 << 20
"""Bytes of media that may come before the answer to PLAY."""
TIMEOUT_S = 60.0
"""Of a session that says none (RFC 2326, 12.37)."""
SEND_S = 5.0


class Dialogue:
    """Connects, and asks. `until_s` is when `open_s` are over [monotonic].

    Raises DeadlineError, OpenError, FormatError; NotOurs for what another client has to read.
    """

    def __init__(self, url: str, until_s: float, open_s: float) -> None:
        self.given = url
        """With the password: for nobody's eyes."""
        self.where = redact(url)
        self.early: list[tuple[int, bytes]] = []
        """Media that came before it was to: channel, and packet."""
        self.session = ""
        self.timeout_s = TIMEOUT_S
        self.until_s = until_s
        self._early_bytes = 0
        self.open_s = open_s
        self._number = 0
        self._alive = ""
        """Of which session it was said that somebody is there; once more, where a nonce was worn out."""
        self._methods: set[str] = set()
        """What the server says it knows."""
        self._go_to(url)

    def close(self) -> None:
        self.socket.close()

    # What a session is made of

    def describe(self) -> tuple[Description, str]:
        """What is there, and the address that its parts' names lead on from."""
        for _ in range(REDIRECTIONS):
            answer = self.request("OPTIONS", self.url)
            self._methods = set(re.split(r"[\s,]+", answer.header("public").upper()))
            answer = self.request("DESCRIBE", self.url, {"Accept": "application/sdp"})
            if 300 <= answer.status < 400 and (place := answer.header("location")):
                self._redirected(place)
                continue
            self.check(answer)
            description = read_description(answer.body)
            if not description.offers:
                raise no_stream(self.given)
            base = answer.header("content-base") or answer.header("content-location") or self.url
            return description, _joined(base if "://" in base else self.url, description.control)
        raise FormatError(f"{self.where}: the server leads in circles", hint="ask for the address it means")

    def set_up(self, base: str, offer: Offer, transport: str) -> tuple[Message, dict[str, str]]:
        """The server's answer for one stream, and what it says of the transport."""
        answer = self.request("SETUP", _joined(base, offer.control), {"Transport": transport})
        if answer.status == 200 and (said := answer.header("session")):
            self.session, _, rest = said.partition(";")
            if found := re.search(r"timeout\s*=\s*(\d{1,6})", rest):
                self.timeout_s = max(5.0, float(found[1]))
        parts = (each.partition("=") for each in answer.header("transport").split(";"))
        return answer, {name.strip().lower(): value.strip() for name, _, value in parts}

    def play(self, base: str) -> dict[str, int]:
        """Has it sent; the time of RTP at which each stream begins, by address, where the server says it."""
        answer = self.check(self.request("PLAY", base, {"Range": "npt=0.000-"}))
        found: dict[str, int] = {}
        for each in re.split(r",\s*(?=url)", answer.header("rtp-info")):
            place = re.search(r"url\s*=\s*\"?([^;\"]+)", each)
            begin = re.search(r"rtptime\s*=\s*(\d{1,10})", each)
            if place and begin:
                found[place[1].strip()] = int(begin[1]) & 0xFFFFFFFF
        return found

    def keep_alive(self, base: str) -> None:
        """Says that somebody is there still; the answer comes among the packets."""
        self._alive = base
        self._ask_alive(base)

    def tear_down(self, base: str) -> None:
        self._send("TEARDOWN", base, {})

    def take(self, message: Message) -> bool:
        """What came among the packets: an answer that nobody waits for, or a question. True where it says
        that the session is over."""
        if message.status == 401 and self._authorization is not None and self._alive:
            self._authorization.answer(message.headers.get("www-authenticate", ()))
            alive, self._alive = self._alive, ""
            self._ask_alive(alive)
        if message.status:
            return False
        lines = ["RTSP/1.0 200 OK", f"CSeq: {message.header('cseq')[:32]}"]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return message.reason == "TEARDOWN"

    def _ask_alive(self, base: str) -> None:
        self._send("GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS", base, {})

    # One request

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Message:
        """The answer to it; who asks is said where the server wants it."""
        for _ in range(ATTEMPTS):
            self._send(method, url, headers or {})
            answer = self._answer()
            if answer.status not in (401, 407):
                return answer
            asked = answer.headers.get("www-authenticate", ())
            if self._authorization is None or not self._authorization.answer(asked):
                break
        raise refused_by(401, "", self.given)

    def check(self, answer: Message) -> Message:
        if not 200 <= answer.status < 300:
            raise refused_by(answer.status, answer.reason, self.given)
        return answer

    def left_s(self) -> float:
        """Until its time is over. Raises DeadlineError then."""
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise no_answer(self.where, self.open_s)
        return left_s

    def _send(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        self._number += 1
        told = {"CSeq": str(self._number), "User-Agent": "Reelway", **headers}
        if self.session:
            told["Session"] = self.session
        if self._authorization is not None and (who := self._authorization.header(method, url)):
            told["Authorization"] = who
        failure: BaseException | None = None
        try:
            self.socket.sendall(request(method, url, told))
        except (OSError, FormatError) as error:
            failure = error
        if failure is not None:
            raise self._failed(failure)

    def _answer(self) -> Message:
        failure: BaseException
        try:
            while True:
                found = self.wire.next()
                if found == MORE:
                    self.socket.settimeout(self.left_s())
                    count = self.socket.recv_into(self.wire.space())
                    if not count:
                        raise no_stream(self.given)
                    self.wire.received(count)
                elif found != MESSAGE:
                    self._keep(found)
                elif not self.wire.message.status:
                    self.take(self.wire.message)
                elif self._is_answer(self.wire.message):
                    return self.wire.message
        except ConnectionResetError:
            raise no_stream(self.given) from None
        except (FormatError, OSError) as error:
            failure = error  # raised below: in here its text would be the context
        raise self._failed(failure)

    def _is_answer(self, message: Message) -> bool:
        """And not that one has to wait. Nothing else is asked meanwhile, and some count in their own way."""
        return message.status != 100

    def _failed(self, failure: BaseException) -> ReelwayError:
        if isinstance(failure, TimeoutError):
            return no_answer(self.where, self.open_s)
        if isinstance(failure, ReelwayError) and not isinstance(failure, FormatError):
            return failure
        if isinstance(failure, FormatError):
            return no_stream(self.given)
        error = reading(failure, self.given)
        error.__cause__ = quotable(failure)
        return error

    def _keep(self, channel: int) -> None:
        packet = bytes(memoryview(self.wire.buffer)[self.wire.start : self.wire.stop])
        self._early_bytes += len(packet) + 64
        if self._early_bytes < MOST_EARLY_BYTES:  # else the newest are left out
            self.early.append((channel, packet))

    # Where it goes

    def _go_to(self, url: str) -> None:
        authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
        rest = url.partition("://")[2][len(authority) :]
        who, at, place = authority.rpartition("@")
        host, port = self._host_of(place)
        place = f"[{host}]" if ":" in host else host
        self.url = f"rtsp://{place}:{port}{rest}".replace(" ", "%20")
        """As it is asked for."""
        self._authorization: Authorization | None = None
        if at:
            user, _, password = who.partition(":")
            self._authorization = Authorization(unquote(user), unquote(password))
        self.wire = Wire()
        self.socket = self._connected(host, port)

    def _host_of(self, place: str) -> tuple[str, int]:
        """Of an address, without who asks: what urlsplit says of a password is not for anybody's eyes."""
        with contextlib.suppress(ValueError):
            parts = urlsplit(f"rtsp://{place}")
            return parts.hostname or "", parts.port or PORT
        raise OpenError(f"{self.where}: there is no host in this address", url=self.given, hint=ESCAPED)

    def _connected(self, host: str, port: int) -> socket.socket:
        failure: BaseException | None = None
        try:
            places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            places, failure = [], error
        for family, kind, protocol, _, place in places:
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(self.left_s())
                made.connect(place)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return made
            except OSError as error:
                made.close()
                failure = error
        raise self._failed(failure or OSError(f"{host} has no address"))

    def _redirected(self, place: str) -> None:
        try:
            parts = urlsplit(place)
        except ValueError:
            what = f"{self.where}: the server leads on to what is no address"
            raise FormatError(what, hint="ask for the address it means") from None
        if parts.scheme.lower() not in ("rtsp", "rtspt", "rtspu") or not parts.hostname:
            raise NotOurs(f"the server leads on to {parts.scheme[:16]}:")
        here = urlsplit(self.url)
        authorization = self._authorization
        self.socket.close()
        check_place(place)
        find_host(place, self.until_s, self.open_s)
        self._go_to(place)
        if (parts.hostname, parts.port or PORT) == (here.hostname, here.port or PORT):
            self._authorization = self._authorization or authorization


def _joined(base: str, control: str) -> str:
    """The address of a stream, from that of the session and what `control` says (RFC 2326, C.1.1)."""
    if not control or control == "*":
        return base
    if "://" in control:
        return control
    return f"{base}{'' if base.endswith('/') else '/'}{control.removeprefix('/')}"
