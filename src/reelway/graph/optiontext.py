r"""Filter strings, in GPAC's syntax: `reframer:rt=on:saps=1`.

    name:opt=value:flag:!flag:#Property=value
    src=film.mp4:opt=value                 no name: the URL decides which filter reads or writes it
    c=avc:b=2m                             the encoder for that codec, GPAC's shortcut for `enc:c=avc`

A flag without a value is true, `!` before its name makes it false, and `#` sets a property on the pids
that the filter puts out. FID (identifier), SID (sources), N (name), RSID and their like are ordinary
options here; BUILTIN_OPTIONS lists them.

**Separators inside values.** `::` starts an option that runs to the next `::` or the end, whatever
colons it holds: `f:a=foo::b=bar:c::d=fun` sets a=foo, b=bar:c and d=fun. `\:` is a colon in a value;
backslashes are themselves unless they stand before a colon, where two make one. A time `T01:02:03`
and a drive `C:\` keep their colons.

**URLs.** In the values of src, dst and url, `//`, user:password@, host:port and [::1] keep their colons.
Behind them an option begins at a colon that is followed by
  - `#Property`, `!name`, or the word `gpac`, which ends the URL and is dropped;
  - the name of a known option, alone or with `=`; names are those given, and BUILTIN_OPTIONS;
  - any `name=`, in a path without a scheme, or when no names are given.
A path that exists keeps its colons where `exists` is given to ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from reelway.errors import OptionError

__all__ = [
    "BUILTIN_OPTIONS",
    "FilterText",
    "Separators",
    "format_filter_text",
    "parse_filter_text",
    "split_url",
]

Pair = tuple[str, str | None]
Exists = Callable[[str], bool]

BUILTIN_OPTIONS = frozenset(
    (
        *("FID", "SID", "N", "FS", "RSID", "TAG", "ITAG", "FBT", "FBU", "FBD", "LT", "DBG", "NCID"),
        *("clone", "nomux", "gfreg", "gfloc", "gfopt", "gpac", "ccp", "ext", "mime"),
    )
)
"""Options that every filter understands, whatever it declares."""

_URL_OPTIONS = frozenset(("src", "dst", "url"))
_TIME = re.compile(r"[+-]?T\d+(?::\d+)+(?:\.\d*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
# The last "@" before a path: passwords may hold ":" and "@" themselves.
_AUTHORITY = re.compile(r"(?:[^/?#\s]*@)?(?:\[[0-9A-Fa-f:.%\w]*\]|[^/?#:\[\]@\s]*)(?::\d+(?![\w=]))?")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_OPTION_NAME = re.compile(r"[A-Za-z_][\w.\-@]*")


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


_DEFAULT = Separators()


@dataclass(frozen=True, slots=True)
class FilterText:
    """A filter string taken apart, in order. A value of None is a bare flag.

    `name` is empty for `src=URL` and `dst=URL`, which stay among the options. `properties` are the
    `#Name=value` items, without the `#`.
    """

    name: str = ""
    options: tuple[Pair, ...] = ()
    properties: tuple[Pair, ...] = ()

    @property
    def url(self) -> str | None:
        """The value of the first src, dst or url option."""
        return next((value for name, value in self.options if name in _URL_OPTIONS), None)

    def option(self, name: str) -> str | None:
        """The last value given to an option, None when it was not given; a bare flag is `true`."""
        given = ["true" if value is None else value for key, value in self.options if key == name]
        return given[-1] if given else None


def parse_filter_text(
    text: str,
    *,
    option_names: Collection[str] | None = None,
    exists: Exists | None = None,
    separators: Separators = _DEFAULT,
) -> FilterText:
    """Take a filter string apart; see the module for the syntax.

    `option_names` are the options that may follow a URL; `exists` says whether a path is a file. Raises
    OptionError for no name at all, an option without a name, and `!` before an option with a value.
    """
    scan = _Scanner(text, separators, option_names, exists)
    head = scan.next_separator(0)
    key, assign, _ = text[:head].partition(separators.assign)
    if not key:
        raise OptionError(f"filter string {text!r} begins with no filter name")
    name = key if not assign else "enc" if key == "c" else ""
    items = list(scan.items(0 if assign else head + 1))
    options = tuple(item for item in items if not item[0].startswith("#"))
    properties = tuple((key[1:], value) for key, value in items if key.startswith("#"))
    return FilterText(name, options, properties)


def split_url(
    text: str,
    option_names: Collection[str] | None = None,
    *,
    exists: Exists | None = None,
    separators: Separators = _DEFAULT,
) -> tuple[str, list[Pair]]:
    """A URL or path and the options behind it: `film.mp4:loop=2` is `film.mp4` and [("loop", "2")].

    The rule where options begin is in the module's text. Properties keep a `#` before their name.
    """
    scan = _Scanner(text, separators, option_names, exists)
    end = scan.url_end(0)
    return scan.unescape(0, end), list(scan.items(end + 1))


def format_filter_text(parts: FilterText, *, separators: Separators = _DEFAULT) -> str:
    """The filter string that parses back to `parts`, with properties behind the options.

    Raises OptionError for what no string can say: a name with a separator in it, or no filter name
    and no option with a value to begin with.
    """
    seps = separators
    if not parts.name and (not parts.options or parts.options[0][1] is None or parts.options[0][0] == "c"):
        raise OptionError("a filter string begins with a name or with src=")
    written: list[str] = [parts.name] if parts.name else []
    after_url = False
    for key, value in [*parts.options, *((seps.fragment + name, value) for name, value in parts.properties)]:
        bare = key.removeprefix(seps.fragment)
        if not bare or set(bare) & {seps.option, seps.assign, seps.negate, seps.fragment}:
            raise OptionError(f"{bare!r} cannot be the name of an option")
        if after_url and (value is None or _OPTION_NAME.fullmatch(bare) is None):
            written.append("gpac")
        written.append(key if value is None else f"{key}{seps.assign}{value}")
        after_url = key in _URL_OPTIONS
    sep = re.escape(seps.option)
    escaped = [re.sub(rf"(\\*){sep}", lambda run: run[1] * 2 + "\\" + seps.option, item) for item in written]
    return seps.option.join([*(re.sub(r"(\\+)$", r"\1\1", item) for item in escaped[:-1]), escaped[-1]])


class _Scanner:
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
        if key in _URL_OPTIONS or _SCHEME.match(self.text, start):
            return self.url_end(start)
        if (time := _TIME.match(self.text, start)) and self.text[time.end() :][:1] in ("", self.seps.option):
            return time.end()
        return self.next_separator(start + 2 if _DRIVE.match(self.text, start) else start)

    def url_end(self, start: int) -> int:
        """Where the URL or path ends that begins at `start`."""
        after = start
        if scheme := _SCHEME.match(self.text, start):
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
        match = _OPTION_NAME.match(self.text, position + negated)
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
