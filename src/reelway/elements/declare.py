"""Short words for the tables: properties by their kind, pads, and what all sources and sinks have."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

from reelway.elements.kinds import Choice, PadTemplate, Property

__all__ = [
    "BOTH",
    "MAX",
    "NS",
    "ONE_SINK",
    "ONE_SRC",
    "QOS",
    "QOS_OFF",
    "U32",
    "U64",
    "base_sink",
    "base_src",
    "boolean",
    "caps",
    "choices",
    "enum",
    "flags",
    "integer",
    "number",
    "pad",
    "string",
    "through",
]

MAX = 2**31 - 1
U32 = 2**32 - 1
U64 = 2**64 - 1
NS = 1_000_000_000


def boolean(name: str, default: bool = False, help: str = "", option: str = "", **more: Any) -> Property:
    return Property(name, bool, default, help, option=option, **more)


def integer(name: str, default: int, help: str = "", option: str = "", **more: Any) -> Property:
    return Property(name, int, default, help, option=option, **more)


def number(name: str, default: float, help: str = "", option: str = "", **more: Any) -> Property:
    return Property(name, float, default, help, option=option, **more)


def string(name: str, default: str | None = None, help: str = "", option: str = "", **more: Any) -> Property:
    return Property(name, str, default, help, option=option, **more)


def caps(name: str = "caps", default: str | None = None, help: str = "", **more: Any) -> Property:
    """A property that is caps text."""
    return Property(name, str, default, help or "what may pass", **more)


def fraction(name: str, default: Fraction, help: str = "", option: str = "", **more: Any) -> Property:
    return Property(name, Fraction, default, help, option=option, **more)


def choices(*values: str | tuple[int, str] | tuple[int, str, Any]) -> tuple[Choice, ...]:
    """Choices from nicks, numbered from 0 on, or (number, nick[, value]); else the value is the nick."""
    made = []
    for number, each in enumerate(values):
        if isinstance(each, str):
            made.append(Choice(number, each, each))
        else:
            made.append(Choice(each[0], each[1], each[2] if len(each) == 3 else each[1]))
    return tuple(made)


def enum(
    name: str, default: str | None, values: Sequence[Choice], help: str = "", option: str = "", **more: Any
) -> Property:
    return Property(name, str, default, help, option=option, choices=tuple(values), **more)


def flags(
    name: str, default: str, values: Sequence[Choice], help: str = "", option: str = "", **more: Any
) -> Property:
    return Property(name, str, default, help, option=option, choices=tuple(values), flags=True, **more)


def base_src(blocksize: int = 4096, count: str = "", size: str = "") -> tuple[Property, ...]:
    """What every source has; `count` and `size`: the options that get num-buffers and blocksize."""
    return (
        integer(
            "num-buffers",
            -1,
            "packets before it ends; -1: without end",
            count,
            low=-1,
            high=MAX,
            make=lambda value: value if value >= 0 else None,
            ignored=not count,
        ),
        boolean("do-timestamp", False, "time packets when they are made", ignored=True),
        integer(
            "blocksize",
            blocksize,
            "to read at once",
            size,
            low=0,
            high=U32,
            unit="bytes",
            ignored=not size,
            make=lambda value: value or None,
        ),
    )


def base_sink(
    sync: bool = True, qos: bool = False, max_lateness: int = -1, last_sample: bool = True
) -> tuple[Property, ...]:
    """What every sink has."""
    return (
        boolean("sync", sync, "show or write each packet when its time has come"),
        boolean("async", True, "a pause waits for its first packet", ignored=True),
        integer("ts-offset", 0, "later by so much", unit="ns", low=-(2**63), high=2**63 - 1, ignored=True),
        boolean("enable-last-sample", last_sample, "keep the last packet", ignored=True),
        boolean("qos", qos, "tell upstream how late packets are", ignored=True),
        integer(
            "max-lateness", max_lateness, "drop what is later; -1: nothing", unit="ns", low=-1, ignored=True
        ),
        integer("render-delay", 0, "added to the latency", unit="ns", low=0, high=U64, ignored=True),
        integer("blocksize", 4096, "bytes to take at once", unit="bytes", low=0, high=U32, ignored=True),
    )


QOS = boolean("qos", True, "drop packets that come too late", ignored=True)
QOS_OFF = boolean("qos", False, "drop packets that come too late", ignored=True)


def pad(
    name: str,
    direction: Literal["src", "sink"],
    presence: Literal["always", "sometimes", "request"] = "always",
    caps: str = "ANY",
) -> PadTemplate:
    return PadTemplate(name, direction, presence, caps)


def through(sink: str = "ANY", src: str = "") -> tuple[PadTemplate, PadTemplate]:
    """One pad in, one out; the same caps where only one is given."""
    return PadTemplate("sink", "sink", "always", sink), PadTemplate("src", "src", "always", src or sink)


ONE_SRC = (PadTemplate("src", "src"),)
ONE_SINK = (PadTemplate("sink", "sink"),)
BOTH = through()
