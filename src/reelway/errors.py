"""Every error that Reelway raises, in one tree.

Each class is a ReelwayError and also the builtin that a Python developer would look for, so both
`except rw.ReelwayError` and `except OSError` do what they say. `fault` tells who can mend it.
A message is one line: what, where. `hint` is the second line: how to fix it. Messages and hints pass
through `redact()`, so a password in a URL does not reach a log by way of an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import ClassVar, Literal

__all__ = [
    "DeadlineError",
    "FilterError",
    "FormatError",
    "InterleaveError",
    "LinkError",
    "OpenError",
    "OptionError",
    "PacketError",
    "PipelineError",
    "ReelwayError",
    "StateError",
    "UnknownNameError",
    "UnknownOptionError",
    "UnsupportedError",
    "near_attribute",
    "nearest",
    "redact",
]

Fault = Literal["caller", "world", "filter", "installation"]

# Patterns stay text until first used: `re` compiles and keeps them, and an import does not wait for that.
# None looks at a place more than a few times, however long a word is: who sends a text may choose its length.
# A secret runs to the last "@" before a space or the next URL of a list, because people paste passwords
# with "@", "/" or quotes in them unescaped. Digits that end at a path, a query or a boundary are a port.
_NEXT_URL = r"[,;|](?=[A-Za-z][A-Za-z0-9+.\-]*://)"
_USER = r"""(?x)(?<=[A-Za-z0-9+.\-])://(?!\[)[^\s/?\#:]*:(?!\d+(?:[/?\#\s,;:'")\]]|$))"""
_QUERY = r"[?&;](?P<name>[\w\-]+)="
_QUERY_VALUE = r"""[^\s&#"'<>]+"""
# `name=value` as a pipeline text or a command line has it: a type before the value, quotes, escapes.
_NAMED = r"(?<![\w\-?&;])(?P<name>[\w\-]+)\s*=\s*(?:\(\w+\)\s*(?=[^\s<>]))?"
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$))"""
_PLAIN = r"""(?:\\.|[^\s"'<>\\])"""
_VALUE = rf"{_QUOTED}{_PLAIN}*|{_PLAIN}+"
# `"name": "value"`, as mappings are written.
_MAPPED = r"""(?P<quote>["'])(?P<name>[\w\-]+)(?P=quote)\s*:\s*b?(?=["'])"""
# A name that is misspelt hides its value all the same: user-pww, pasword.
_SECRET = r"(?:token|passphrase\w?|pw\w{0,3}|secret|signature|credential|playpath|streamkey)$"
_KEY = r"(?:^|[_\-])(?:stream|access|secret|api|private)[_\-]key$"
_QUERY_KEY = r"(?:^|[_\-])(?:key|auth|sig|apikey|streamid)$"
# What HTTP and RTSP send: the rest of the line, whose end may be written as an escape.
_HEADER = r"(?<![\w\-])(?P<name>[\w\-]+)\s*:[^\S\r\n]*"
_HEADER_NAME = r"(?:^|-)(?:authorization|cookie)$|-(?:token|secret|api-key)$"
_HEADER_VALUE = r"""(?i)(?=\S)(?:digest\b(?:(?!\\[rn])[^\r\n])*|(?:(?!\\[rn])[^\r\n"'])+)"""
# The name of a live stream is the right to send it: what follows the application in an address of RTMP.
_STREAM = r"""(?xi)(?P<head>\brtmp[a-z]*://[^\s/"'<>]+/[^\s/"'<>?]+/)
        (?:(?!\|[a-z][a-z0-9+.\-]*://)[^\s"'<>\\:,;.)\]]
        |[:,;.)\]]+(?![\s"'<>\\:,;.)\]]|$)(?!(?<=[,;])[a-z][a-z0-9+.\-]*://))+"""


def redact(text: str) -> str:
    """`text` with the secrets of any URL in it written `***`.

    Hides the password of `scheme://user:password@host`, the values of keys such as `token=`, `password=`,
    `user-pw=` and, in a query, `key=` and `streamid=`, the rest of the line behind `Authorization:` and its
    like, and the stream's name in `rtmp://host/application/name`. Everything else stays; redacting twice
    changes nothing. Where a text is ambiguous it hides too much rather than too little, but for `host:80/`, a
    port. The time it takes grows as the text does.
    """
    if "://" in text:
        if "@" in text:
            text = re.sub(r"\S+", lambda word: _without_users(word[0]), text)
        text = re.sub(_STREAM, r"\g<head>***", text)
    if ":" in text:
        text = _without_values(text, _MAPPED, _QUOTED, _names_mapped, '"***"')
        text = _without_values(text, _HEADER, _HEADER_VALUE, _names_header)
    if "=" in text:
        text = _without_values(text, _QUERY, _QUERY_VALUE, _names_query)
        text = _without_values(text, _NAMED, _VALUE, _names_secret)
    return text


def _without_users(word: str) -> str:
    """The passwords of a list of URLs without spaces."""
    if "@" not in word or "://" not in word:
        return word
    starts = [0, *(match.end() for match in re.finditer(_NEXT_URL, word)), len(word)]
    urls = [word[start:end] for start, end in pairwise(starts)]
    return "".join(map(_without_user, urls))


def _without_user(url: str) -> str:
    last = url.rfind("@")
    user = re.search(_USER, url)
    return url if user is None or user.end() >= last else f"{url[: user.end()]}***{url[last:]}"


def _without_values(
    text: str, head: str, value: str, secret: Callable[[str], bool], instead: str = "***"
) -> str:
    """Each `value` behind a `head` whose name is a `secret`; a value may hold further heads."""
    kept, at = [], 0
    pattern = re.compile(value)
    for match in re.finditer(head, text):
        if match.start() < at:
            continue
        if secret(match["name"].lower()) and (found := pattern.match(text, match.end())):
            kept += [text[at : match.end()], instead]
            at = found.end()
    return "".join([*kept, text[at:]]) if kept else text


def _names_secret(name: str) -> bool:
    word = name.rpartition("-")[2]
    return bool(re.search(_SECRET, name) or re.search(_KEY, name) or re.search(r"pas+w", word))


def _names_query(name: str) -> bool:
    return _names_secret(name) or bool(re.search(_QUERY_KEY, name))


def _names_mapped(name: str) -> bool:
    return _names_query(name) or _names_header(name)


def _names_header(name: str) -> bool:
    return bool(re.search(_HEADER_NAME, name))


def nearest(name: str, known: Iterable[str], *, limit: int = 3) -> list[str]:
    """Up to `limit` of the `known` names most like `name`, best first; case does not count."""
    import difflib  # only a failing program pays for it

    by_fold: dict[str, str] = {}
    for candidate in known:
        by_fold.setdefault(candidate.casefold(), candidate)
    fold = name.casefold()
    close = difflib.get_close_matches(fold, list(by_fold), n=limit, cutoff=0.6)
    if len(fold) >= 2:
        close += sorted(other for other in by_fold if other.startswith(fold) and other not in close)
    return [by_fold[other] for other in close[:limit]]


def _did_you_mean(near: Sequence[str]) -> str | None:
    if not near:
        return None
    return f"did you mean {' or '.join(repr(name) for name in near)}?"


def near_attribute(error: BaseException | None) -> str | None:
    """Of an AttributeError: was another name meant? Python asks that only in its own tracebacks."""
    if not isinstance(error, AttributeError) or error.obj is None or not error.name:
        return None
    try:
        known = [name for name in dir(error.obj) if name[:1] != "_"]
    except Exception:  # noqa: BLE001 - a __dir__ of the user's
        return None
    return _did_you_mean(nearest(error.name, known))


def _no_output(error: BaseException | None) -> str | None:
    """Of None that is told to send: it stands where an output was not made."""
    if isinstance(error, AttributeError) and error.obj is None and error.name == "send":
        return "pid.output is None until configure() makes it: self.new_pid(of=pid)"
    return None


class ReelwayError(Exception):
    """The root of the tree. `str(error)` is one line; `hint` (or None) says how to fix it.

    The hint is added as a note as well, so that an uncaught error shows it under the traceback.
    """

    fault: ClassVar[Fault] = "caller"

    place: PipelineError | None = None
    """Where a pipeline text says what is wrong, of an error that was found when the pipeline opened."""

    def __init__(self, message: str = "", *, hint: str | None = None) -> None:
        self.message = redact(message)
        self.hint = redact(hint) if hint else None
        super().__init__(self.message)
        if self.hint:
            self.add_note(f"hint: {self.hint}")

    def __str__(self) -> str:
        return self.message


class OptionError(ReelwayError, ValueError):
    """An option got a value that it cannot take, or a text that does not parse. The caller's."""


class UnknownNameError(ReelwayError, LookupError):
    """A name (filter, codec, property, element ...) that nothing answers to. `near` lists likely ones."""

    def __init__(
        self, message: str = "", *, name: str = "", near: Sequence[str] = (), hint: str | None = None
    ) -> None:
        self.name = name
        self.near = list(near)
        hints = [_did_you_mean(self.near), hint]
        super().__init__(message, hint=" ".join(filter(None, hints)))

    @classmethod
    def of(cls, what: str, name: str, known: Iterable[str], *, hint: str | None = None) -> UnknownNameError:
        """The error for `name`, which is no `what` among the `known` names.

        When no known name is near and there are few, the hint lists them all; `hint` is added to that.
        """
        names = sorted(set(known))
        near = nearest(name, names)
        if not near and 0 < len(names) <= 12:
            hint = " ".join(filter(None, [f"known: {', '.join(names)}.", hint]))
        return cls(f"no {what} is named {name!r}", name=name, near=near, hint=hint)

    nearest = staticmethod(nearest)


class UnknownOptionError(OptionError, UnknownNameError):
    """An option that the filter does not declare: an OptionError and an UnknownNameError."""


class LinkError(ReelwayError, ValueError):
    """Two filters cannot be connected, and no chain of known filters would make them. The caller's.

    `consumer` is the name of the filter that refuses, where it is known.
    """

    def __init__(self, message: str = "", *, consumer: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.consumer = consumer


class FormatError(ReelwayError, ValueError):
    """Data that is not what it should be: not media, damaged, cut short. The world's fault."""

    fault = "world"


class OpenError(ReelwayError, OSError):
    """A source or destination could not be opened. `url` is redacted; `errno` is set where known."""

    fault = "world"

    def __init__(
        self, message: str = "", *, url: str = "", errno: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.url = redact(url)
        self.errno = errno


class UnsupportedError(ReelwayError, NotImplementedError):
    """What was asked is well formed, but this build, platform or installed FFmpeg cannot do it."""

    fault = "installation"


class FilterError(ReelwayError, RuntimeError):
    """A filter raised. `filter` and `pid` are names, `time` is seconds or None, `cause` the exception.

    Tracebacks show the cause too; where that would tell a password, with the password hidden.
    """

    fault = "filter"

    def __init__(
        self,
        message: str = "",
        *,
        filter: str = "",
        pid: str = "",
        time: float | None = None,
        cause: BaseException | None = None,
        hint: str | None = None,
    ) -> None:
        self.filter = filter
        self.pid = pid
        self.time = time
        self.cause = cause
        hint = hint or getattr(cause, "hint", None) or near_attribute(cause) or _no_output(cause)
        super().__init__(message or self._compose(), hint=hint)
        self.__cause__ = _presentable(cause)

    def _compose(self) -> str:
        where = f"filter {self.filter!r} failed"
        if self.pid:
            where += f" on pid {self.pid!r}"
        if self.time is not None:
            where += f" at {self.time:.3f} s"
        if self.cause is None:
            return where
        first, *_ = str(self.cause).splitlines() or [""]
        kind = type(self.cause).__name__
        return f"{where}: {kind}: {first}" if first else f"{where}: {kind}"


def _presentable(cause: BaseException | None) -> BaseException | None:
    """`cause`; where a traceback of it, and of what led to it, told a secret: one like it that does not."""
    each = cause
    while each is not None:
        text = "".join([str(each), *getattr(each, "__notes__", ())])
        if redact(text) != text:
            assert cause is not None
            kind = type(cause)
            like = type(kind.__name__, (Exception,), {"__module__": kind.__module__})
            return like(redact(str(cause))).with_traceback(cause.__traceback__)  # type: ignore[no-any-return]
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return cause


class InterleaveError(ReelwayError, RuntimeError):
    """Two streams lie so far apart that joining them would pass the byte limit. The input's fault."""

    fault = "world"


class StateError(ReelwayError, RuntimeError):
    """A call that the object's present state does not allow; nothing was changed. The caller's."""


class DeadlineError(ReelwayError, TimeoutError):
    """Something did not finish within the time it was given."""

    fault = "world"


class PacketError(ReelwayError, ValueError, BufferError):
    """A packet was used against its contract: changed after sending, written while shared ..."""


class PipelineError(ReelwayError, ValueError):
    """A pipeline text that says what cannot be: its grammar, a name, a property or a value is wrong.

    `at` is the offset in `text` of what is wrong, and `length` how many characters it has. `str(error)` is
    one line that begins with the line and the column; `caret` shows the place. `reason` is the message
    without the place. `near` are likely names; the hint offers them.
    """

    def __init__(
        self,
        message: str = "",
        *,
        text: str = "",
        at: int = 0,
        length: int = 1,
        near: Sequence[str] = (),
        hint: str | None = None,
    ) -> None:
        self.reason = redact(message)
        self.text = text
        self.at = max(0, min(at, len(text)))
        self.length = max(1, length)
        self.near = list(near)
        before = text[: self.at]
        self.line = before.count("\n") + 1
        self.column = self.at - (before.rfind("\n") + 1) + 1
        if text:
            message = f"line {self.line}, column {self.column}: {message}"
        hints = [_did_you_mean(self.near), hint]
        super().__init__(message, hint=" ".join(filter(None, hints)))

    @classmethod
    def unknown(
        cls,
        what: str,
        name: str,
        known: Iterable[str],
        *,
        text: str = "",
        at: int = 0,
        hint: str | None = None,
    ) -> PipelineError:
        """The error for `name` at `at`, which is no `what` among the `known` names: see UnknownNameError."""
        plain = UnknownNameError.of(what, name, known)
        return cls(
            plain.message,
            text=text,
            at=at,
            length=len(name),
            near=plain.near,
            hint=" ".join(filter(None, [plain.hint if not plain.near else None, hint])),
        )

    def within(self, text: str, at: int) -> PipelineError:
        """The same error, found in a part of `text` that begins at `at`: a value, caps."""
        whole = PipelineError(self.reason, text=text, at=at + self.at, length=self.length, hint=self.hint)
        whole.near = self.near
        return whole

    @property
    def caret(self) -> str:
        """The line of the text and, under it, a caret at the place; "" where there is no text.

        At most 100 columns of a long line are shown, around the place. Secrets of URLs are hidden.
        """
        if not self.text:
            return ""
        line = re.sub(r"[^\S\t]", " ", self.text.split("\n")[self.line - 1])
        column = len(redact(line[: self.column - 1]))
        line = redact(line)
        if len(line) > 100:
            start = max(0, min(column - 50, len(line) - 100))
            left = "... " if start else ""
            right = " ..." if start + 100 < len(line) else ""
            line, column = left + line[start : start + 100] + right, column - start + len(left)
        room = max(1, min(self.length, len(line) - column))
        blank = "".join("\t" if character == "\t" else " " for character in line[:column].ljust(column))
        return f"{line}\n{blank}{'^' * room}"
