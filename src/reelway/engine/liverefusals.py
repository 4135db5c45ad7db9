"""Why a live source cannot be connected to: what is wrong with its address, and what its answers mean."""

from __future__ import annotations

import errno
import re
import socket
from urllib.parse import urlsplit

import av

from reelway.engine.hostnames import found_by
from reelway.errors import DeadlineError, FormatError, OpenError, ReelwayError, redact

__all__ = [
    "NoMediaError",
    "TransportError",
    "check_place",
    "find_host",
    "no_answer",
    "no_media",
    "no_stream",
    "refused",
    "refused_by",
    "silent",
]

ENCRYPTED = ("rtsps:", "rtmps:", "https:")
HOSTED = ("rtsp", "rtsps", "rtspt", "rtspu", "rtmp", "rtmps", "http", "https")
"""There is a host in each address of these."""
SPACE = "write a space in a user name and a password as %20"
ESCAPED = "write @ : / ? # in a user name and a password as %40 %3A %2F %3F %23"


class TransportError(OpenError):
    """The server does not offer this transport."""


class NoMediaError(DeadlineError):
    """It answered, and nothing followed."""


def no_answer(where: str, open_s: float) -> DeadlineError:
    """Nobody has said anything in `open_s`."""
    return DeadlineError(
        f"{where} did not answer within {open_s:g} s",
        hint="check the address, and whether the device is on; timeout_s says how long to wait, "
        "retry=-1 waits until it is there",
    )


def no_media(where: str, open_s: float, device: bool = False) -> DeadlineError:
    """Somebody is there, but no packet came in `open_s`; of another transport one may."""
    if device:
        return NoMediaError(
            f"{where} is there, but gave nothing within {open_s:g} s",
            hint="plug it in again, or ask for another size or input_format; timeout_s says how long to wait",
        )
    return NoMediaError(
        f"{where} answered, but sent no media within {open_s:g} s",
        hint="a firewall may hold back UDP (transport=tcp goes around it), or nobody sends; "
        "timeout_s says how long to wait",
    )


def silent(where: str, silence_s: float) -> DeadlineError:
    """It has sent, and does not any more."""
    return DeadlineError(
        f"{where} has sent nothing that is whole for {silence_s:g} s",
        hint="check the sender; silence_s says how long is too long",
    )


def refused(error: BaseException, url: str) -> ReelwayError | None:
    """What a server means by its refusal; None for any other error."""
    where = redact(url)
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return _unauthorised(url)
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError):
        return no_stream(url)
    if getattr(error, "errno", None) == errno.EIO and _is_unknown(url):
        return _no_host(url)
    if getattr(error, "errno", None) == errno.EIO and url.lower().startswith(ENCRYPTED):
        return OpenError(
            f"{where}: no TLS connection comes about",
            url=url,
            errno=errno.EIO,
            hint="perhaps the server has none at this port, and rtsp:// is right; or its certificate is not "
            "what tls_verify=1 wants: signed by somebody known, for this name",
        )
    if isinstance(error, av.error.HTTPNotFoundError):
        return _no_path(url)
    if getattr(error, "errno", None) == errno.EPROTONOSUPPORT:
        return _not_offered(url)
    if isinstance(error, av.error.HTTPClientError | av.error.HTTPServerError):
        return _answered(url, getattr(error, "strerror", "") or "refused")
    return None


def refused_by(status: int, reason: str, url: str) -> ReelwayError:
    """What the number of a server's answer means, and what it says beside it."""
    if status in (401, 403, 407):
        return _unauthorised(url)
    if status == 404:
        return _no_path(url)
    return _not_offered(url) if status == 461 else _answered(url, f"{status} {reason}"[:200])


def no_stream(url: str) -> FormatError:
    """Somebody answers, but in another language."""
    hint = "check the address: port and path must be those of a stream, not of a web page"
    return FormatError(f"{redact(url)}: what answers there sends no stream", hint=hint)


def _unauthorised(url: str) -> OpenError:
    where = redact(url)
    if "@" in url.partition("://")[2].partition("/")[0]:
        what, hint = f"{where} refuses the user name or the password", "check both, in the address"
    else:
        what = f"{where} wants a user name and a password"
        hint = "they stand in front of the host, as in user:password@host"
    return OpenError(what, url=url, errno=errno.EACCES, hint=f"{hint}; {ESCAPED}")


def _no_path(url: str) -> OpenError:
    return OpenError(
        f"{redact(url)}: there is no stream at this path",
        url=url,
        errno=errno.ENOENT,
        hint="the device's manual or its ONVIF page names the path",
    )


def _not_offered(url: str) -> TransportError:
    return TransportError(
        f"{redact(url)} does not offer this transport",
        url=url,
        errno=errno.EPROTONOSUPPORT,
        hint="transport=auto tries TCP, then UDP",
    )


def _answered(url: str, said: str) -> OpenError:
    hint = "it may have as many viewers as it can serve, or want to be restarted"
    what = f"{redact(url)}: the server answered: {redact(said)}"
    return OpenError(what, url=url, errno=errno.EIO, hint=hint)


def check_place(url: str) -> None:
    """Raises OpenError for an address that can be no host's. FFmpeg takes some, and means another port."""
    if re.search(r"\s", re.sub(r"[/?#].*", "", url.partition("://")[2], flags=re.DOTALL)):
        where = redact(re.sub(r"\s", "%20", url))  # which looks no further than to a space
        raise OpenError(f"{where}: there is a space in this address", url=url, errno=errno.EINVAL, hint=SPACE)
    found = re.match(r"(\w+)://(?:[^/?#]*@)?(\[[^]]*\]|[^:/?#]*)(?::([^/?#]*))?", url)
    if found is None:
        return
    scheme, host, port = found.groups()
    if port and not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        what = "the port in this address is no number up to 65535"  # it may be part of a password
    elif not host and scheme.lower() in HOSTED:
        what = "there is no host in this address"
    else:
        return
    hint = ESCAPED if "@" in url else "as in rtsp://host:554/path"
    raise OpenError(f"{redact(url)}: {what}", url=url, errno=errno.EINVAL, hint=hint)


def find_host(url: str, until_s: float, open_s: float) -> None:
    """Raises OpenError or DeadlineError where the host of `url` has no address, or none in time."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return
    if not host or (found := found_by(host, until_s)):
        return
    where = redact(url)
    if found is None:
        raise DeadlineError(
            f"{where}: no name server said within {open_s:g} s where {host} is",
            hint="check the network, or write the address in numbers",
        )
    raise _no_host(url)


def _no_host(url: str) -> OpenError:
    hint = "check the name"
    if "@" in re.sub(r"^\w+://[^/?#]*", "", url):  # what was looked up may be part of a user name
        hint += f"; {ESCAPED}"
    return OpenError(f"{redact(url)}: no host has this name", url=url, errno=errno.EIO, hint=hint)


def _is_unknown(url: str) -> bool:
    """FFmpeg could not find the host, which it calls an I/O error; it has asked just before."""
    try:
        host = urlsplit(url).hostname
        if host:
            socket.getaddrinfo(host, None)
    except socket.gaierror:
        return True
    except (OSError, ValueError):
        pass
    return False
