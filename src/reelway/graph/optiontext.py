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
from collections.abc import Collection
from dataclasses import dataclass

from reelway.errors import OptionError
from reelway.graph.optionscan import (
    BUILTIN_OPTIONS,
    OPTION_NAME,
    URL_OPTIONS,
    Exists,
    Pair,
    Scanner,
    Separators,
)

__all__ = [
    "BUILTIN_OPTIONS",
    "FilterText",
    "Separators",
    "format_filter_text",
    "parse_filter_text",
    "split_url",
]

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
        return next((value for name, value in self.options if name in URL_OPTIONS), None)

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
    scan = Scanner(text, separators, option_names, exists)
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
    scan = Scanner(text, separators, option_names, exists)
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
        if after_url and (value is None or OPTION_NAME.fullmatch(bare) is None):
            written.append("gpac")
        written.append(key if value is None else f"{key}{seps.assign}{value}")
        after_url = key in URL_OPTIONS
    sep = re.escape(seps.option)
    escaped = [re.sub(rf"(\\*){sep}", lambda run: run[1] * 2 + "\\" + seps.option, item) for item in written]
    return seps.option.join([*(re.sub(r"(\\+)$", r"\1\1", item) for item in escaped[:-1]), escaped[-1]])
