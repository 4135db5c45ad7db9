"""Who asks, in RTSP: basic and digest authentication (RFC 7617, 7616, and 2617 for older servers).

No text of this module's errors or objects shows a password.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Iterable

__all__ = ["Authorization", "challenges"]

DIGESTS = {"MD5": "md5", "MD5-SESS": "md5", "SHA-256": "sha256", "SHA-256-SESS": "sha256"}
"""Algorithm -> Python's name; the one that comes last is taken where a server offers several."""
ENCODING, ERRORS = "utf-8", "surrogateescape"
MOST = 2048
"""Characters of a challenge that are looked at."""
_PART = re.compile(r'(?<![\w-])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))|(?<![\w-])([\w-]+)(?=\s|$|,)')


def challenges(headers: Iterable[str]) -> list[tuple[str, dict[str, str]]]:
    """What `WWW-Authenticate` asks for: schemes in small letters, each with its parameters."""
    found: list[tuple[str, dict[str, str]]] = []
    for header in headers:
        for name, quoted, plain, scheme in _PART.findall(header[:MOST]):
            if scheme:
                found.append((scheme.lower(), {}))
            elif found:
                found[-1][1].setdefault(name.lower(), plain or re.sub(r"\\(.)", r"\1", quoted))
    return found


class Authorization:
    """What one client says of itself, once a server has asked: `answer()` reads that, `header()` says it."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self._scheme = ""
        self._said: dict[str, str] = {}
        self._count = 0
        """How often this nonce was used."""

    def __repr__(self) -> str:
        return f"Authorization({self._scheme})"

    def answer(self, headers: Iterable[str]) -> bool:
        """Takes a server's challenge. False where no other answer than the one before can be given."""
        best: tuple[int, str, dict[str, str]] | None = None
        for scheme, said in challenges(headers):
            rank = -1
            algorithm = said.get("algorithm", "MD5").upper()
            if scheme == "basic":
                rank = 0
            elif scheme == "digest" and algorithm in DIGESTS and "nonce" in said and _may(said):
                rank = 1 + list(DIGESTS).index(algorithm)
            if rank >= 0 and (best is None or rank > best[0]):
                best = rank, scheme, said
        if best is None:
            return False
        before = self._scheme, self._said.get("nonce"), self._said.get("realm")
        _, self._scheme, self._said = best
        asked_anew = before != (self._scheme, self._said.get("nonce"), self._said.get("realm"))
        if not before[0]:
            self._count = 0
            return True
        worn_out = self._said.get("stale", "").lower() == "true" or self._count > 1  # it was good before
        self._count = 0 if asked_anew else self._count
        return asked_anew and self._scheme == "digest" and worn_out

    def header(self, method: str, url: str) -> str:
        """The value of `Authorization` for one request; empty before a server has asked."""
        if not self._scheme:
            return ""
        if self._scheme == "basic":
            return "Basic " + b64encode(f"{self._user}:{self._password}".encode(ENCODING, ERRORS)).decode()
        return self._digest(method, url)

    def _digest(self, method: str, url: str) -> str:
        said = self._said
        algorithm = said.get("algorithm", "MD5")
        realm, nonce = said.get("realm", ""), said["nonce"]

        def digest(text: str) -> str:
            return hashlib.new(
                DIGESTS[algorithm.upper()], text.encode(ENCODING, ERRORS), usedforsecurity=False
            ).hexdigest()

        self._count += 1
        count, own = f"{self._count:08x}", secrets.token_hex(8)
        who = digest(f"{self._user}:{realm}:{self._password}")
        if algorithm.upper().endswith("-SESS"):
            who = digest(f"{who}:{nonce}:{own}")
        what = digest(f"{method}:{url}")
        parts = {"username": self._user, "realm": realm, "nonce": nonce, "uri": url}
        if "qop" in said:
            parts["response"] = digest(f"{who}:{nonce}:{count}:{own}:auth:{what}")
        else:
            parts["response"] = digest(f"{who}:{nonce}:{what}")
        if "opaque" in said:
            parts["opaque"] = said["opaque"]
        told = [f'{name}="{_escaped(value)}"' for name, value in parts.items()]
        if "algorithm" in said:
            told.append(f"algorithm={algorithm}")
        if "qop" in said:
            told += ["qop=auth", f"nc={count}", f'cnonce="{own}"']
        return "Digest " + ", ".join(told)


def _may(said: dict[str, str]) -> bool:
    """It does not want what it asks for to be signed as well, which nobody does (`auth-int`)."""
    return "qop" not in said or "auth" in re.split(r"[\s,]+", said["qop"].lower())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
