"""Where the options of a filter string begin and end: the scanner behind `optiontext`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from reelway.errors import OptionError
from reelway.graph.option import BUILTIN_OPTIONS
from reelway.media.addresses import DEVICES

__all__ = ["BUILTIN_OPTIONS", "OPTION_NAME", "URL_OPTIONS", "Exists", "Pair", "Scanner", "Separators"]

Pair = tuple[str, str | None]
Exists = Callable[[str], bool]

URL_OPTIONS = frozenset(("src", "dst", "url"))
_TIME = r"[+-]?T\d+(?::\d+)+(?:\.\d*)?"
_TIMES = re.compile(
    rf"(?:(?:{_TIME}|[^:,\\]*),)*{_TIME}(?:,(?:{_TIME}|[^:,\\]*))*"
)  # a list with times in it
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
# The last "@" before a path: passwords may hold ":" and "@" themselves.
_AUTHORITY = re.compile(r"(?:[^/?#\s]*@)?(?:\[[0-9A-Fa-f:.%\w]*\]|[^/?#:\[\]@\s]*)(?::\d+(?![\w=]))?")
_DEVICE = re.compile(rf"(?i)(?:av://)?({'|'.join(DEVICES)}):")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
OPTION_NAME = re.compile(r"[A-Za-z_][\w.\-@]*")


class Separators(NamedTuple):
    """The characters of the syntax, in the order of GPAC's `-seps`."""

    option: str = ":"
    assign: str = "="
    fragment: str = "#"
    list: str = ","
    negate: str = "!"
    link: str = "@"

    @classmethod
    def parse(cls, text: str) -> Separators:
        """From a text such as `:=#,!@`; characters that are left out keep their default."""
        if len(text) > 6 or len(set(text)) != len(text):
            raise OptionError(f"separators {text!r} are not up to six different characters, as in ':=#,!@'")
        return cls(*text)


class Scanner:
    """One text, read from left to right. An end is the index of a separator, or the text's length."""

    def __init__(
        self, text: str, separators: Separators, option_names: Collection[str] | None, exists: Exists | None
    ) -> None:
        self.text = text
        self.seps = separators
        self.names = None if option_names is None else BUILTIN_OPTIONS.union(option_names)
        self.exists = exists
        self.run = re.compile(rf"(\\*){re.escape(separators.option)}")

    def separators_from(self, start: int) -> Iterator[int]:
        """The places of separators that no odd run of backslashes precedes."""
        return (run.end() - 1 for run in self.run.finditer(self.text, start) if len(run[1]) % 2 == 0)

    def next_separator(self, start: int) -> int:
        return next(self.separators_from(start), len(self.text))

    def unescape(self, start: int, end: int) -> str:
        """The text of an item or value: the backslashes that stand before a separator halve."""
        part = self.run.sub(lambda run: run[1][: len(run[1]) // 2] + self.seps.option, self.text[start:end])
        if end < len(self.text):
            kept = part.rstrip("\\")
            part = kept + "\\" * ((len(part) - len(kept)) // 2)
        return part

    def items(self, position: int) -> Iterator[Pair]:
        """The options from `position` on, which is just behind a separator or at the start."""
        while position < len(self.text):
            if self.text[position] == self.seps.option:  # the second of "::"
                end = self.text.find(self.seps.option * 2, position + 1)
                end = len(self.text) if end < 0 else end
                item = self.text[position + 1 : end]
                if item:
                    yield self.pair(*item.partition(self.seps.assign))
            else:
                end = self.next_separator(position)
                value_at = self.text.find(self.seps.assign, position, end) + 1
                if value_at:
                    end = self.value_end(self.text[position : value_at - 1], value_at)
                    value = self.unescape(value_at, end)
                    yield self.pair(self.text[position : value_at - 1], self.seps.assign, value)
                elif (flag := self.unescape(position, end)) != "gpac":
                    yield self.pair(flag, "", "")
            position = end + 1

    def pair(self, key: str, assign: str, value: str) -> Pair:
        if key.startswith(self.seps.fragment):
            key = "#" + key[1:]
        elif key.startswith(self.seps.negate):
            if assign:
                raise OptionError(f"{key!r} in {self.text!r} has a value, and '!' means false already")
            key, assign, value = key[1:], "=", "false"
        if key in ("", "#"):
            raise OptionError(f"an option in {self.text!r} has no name", hint="write name=value")
        return key, value if assign else None

    def value_end(self, key: str, start: int) -> int:
        if key in URL_OPTIONS or _SCHEME.match(self.text, start):
            return self.url_end(start)
        if (time := _TIMES.match(self.text, start)) and self.text[time.end() :][:1] in ("", self.seps.option):
            return time.end()
        return self.next_separator(start + 2 if _DRIVE.match(self.text, start) else start)

    def url_end(self, start: int) -> int:
        """Where the URL or path ends that begins at `start`."""
        after = start
        scheme: re.Match[str] | None
        if scheme := _DEVICE.match(self.text, start):  # alsa:hw:1,0 and screen::0 have colons of their own
            if scheme[1].lower() == "lavfi":
                return len(self.text)
            after = scheme.end()
        elif scheme := _SCHEME.match(self.text, start):
            authority = _AUTHORITY.match(self.text, scheme.end())
            after = authority.end() if authority else scheme.end()
        elif _DRIVE.match(self.text, start):
            after = start + 2
        if self.exists is not None and not scheme:
            for end in reversed([*self.separators_from(after), len(self.text)]):
                if self.exists(self.unescape(start, end)):
                    return end
        ends = (end for end in self.separators_from(after) if self.option_begins(end + 1, bool(scheme)))
        return next(ends, len(self.text))

    def option_begins(self, position: int, in_url: bool) -> bool:
        """Whether an option, and not more of the URL, stands behind a separator."""
        if self.text.startswith((self.seps.option, self.seps.fragment), position):
            return True
        negated = self.text.startswith(self.seps.negate, position)
        match = OPTION_NAME.match(self.text, position + negated)
        if match is None:
            return False
        following = self.text[match.end() :][:1]
        assigned = following == self.seps.assign and not negated
        if not assigned and following not in ("", self.seps.option):
            return False
        known = BUILTIN_OPTIONS if self.names is None else self.names
        if negated or match[0] in known:
            return True
        if self.names is None:
            return assigned or not in_url
        return assigned and not in_url
