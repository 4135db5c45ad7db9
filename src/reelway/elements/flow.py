"""What lets packets pass, holds them, splits streams and joins them."""

from __future__ import annotations

from typing import Any

from reelway.elements.declare import (
    BOTH,
    MAX,
    QOS_OFF,
    U32,
    U64,
    boolean,
    caps,
    choices,
    enum,
    integer,
    number,
    pad,
)
from reelway.elements.kinds import ElementKind, Property

__all__ = ["KINDS", "pad_number"]


def pad_number(value: Any) -> int | None:
    """The number of a pad, of its name (`sink_1`), of the pad itself, or of the number."""
    if value is None or isinstance(value, int):
        return value
    digits = str(getattr(value, "name", value)).rpartition("_")[2]
    return int(digits) if digits.isdigit() else None


def _limits(buffers: int, size: int, time_ns: int) -> tuple[Property, ...]:
    return (
        integer(
            "max-size-buffers", buffers, "packets to hold; 0: any number", "max_packets", low=0, high=U32
        ),
        integer("max-size-bytes", size, "to hold; 0: any number", "max_bytes", unit="bytes", low=0, high=U32),
        integer(
            "max-size-time",
            time_ns,
            "to hold; 0: any",
            "max_s",
            unit="ns",
            low=0,
            high=U64,
            make=lambda ns: ns / 1e9,
        ),
    )


_LEVELS = (
    integer("current-level-buffers", 0, "held", writable=False, read=lambda filter: filter.level_packets),
    integer(
        "current-level-bytes", 0, "held", unit="bytes", writable=False, read=lambda filter: filter.level_bytes
    ),
    integer("current-level-time", 0, "held", unit="ns", writable=False, read=lambda filter: filter.level_ns),
)
_MARKS = (
    boolean("use-buffering", False, "tell how full it is", ignored=True),
    integer("low-percent", 1, "below it is empty", low=0, high=100, ignored=True),
    integer("high-percent", 99, "above it is full", low=0, high=100, ignored=True),
    number("low-watermark", 0.01, "below it is empty", low=0.0, high=1.0, ignored=True),
    number("high-watermark", 0.99, "above it is full", low=0.0, high=1.0, ignored=True),
)

KINDS = (
    ElementKind(
        "identity",
        "Passes everything on",
        "Generic",
        "identity",
        properties=(
            boolean("sync", False, "each packet when its time has come"),
            boolean("silent", True, "tell nothing of each packet"),
            boolean("signal-handoffs", True, "emit handoff for each packet"),
            boolean("dump", False, "print the packets", ignored=True),
            integer(
                "sleep-time",
                0,
                "after each packet",
                "sleep",
                unit="us",
                low=0,
                high=U32,
                make=lambda us: us / 1e6,
            ),
            number("drop-probability", 0.0, "of each packet", "drop_probability", low=0.0, high=1.0),
            integer(
                "error-after", -1, "fails behind so many packets; -1: never", "error_after", low=-1, high=MAX
            ),
            integer("eos-after", -1, "ends behind so many packets; -1: never", "eos_after", low=-1, high=MAX),
            integer("ts-offset", 0, "later by so much", unit="ns", ignored=True),
            integer("datarate", 0, "times packets", unit="bytes/s", low=0, high=MAX, ignored=True),
            boolean("single-segment", False, "times as of one piece", ignored=True),
            boolean("drop-allocation", False, "memory of its own", ignored=True),
            QOS_OFF,
        ),
        pads=BOTH,
    ),
    ElementKind(
        "tee",
        "One stream to several",
        "Generic",
        "tee",
        properties=(
            boolean("allow-not-linked", False, "drop what nobody takes", ignored=True),
            boolean("silent", True, "tell nothing of each packet", ignored=True),
            boolean("has-chain", True, "packets are pushed into it", ignored=True),
            enum(
                "pull-mode", "never", choices("never", "single"), "packets are pulled out of it", ignored=True
            ),
            integer(
                "num-src-pads",
                0,
                "how many take from it",
                writable=False,
                read=lambda filter: sum(len(pid.links) for pid in filter.opids),
            ),
        ),
        pads=(pad("sink", "sink"), pad("src_%u", "src", "request")),
    ),
    ElementKind(
        "queue",
        "Holds packets between two that work at different speeds",
        "Generic",
        "queue",
        properties=(
            *_limits(200, 10_485_760, 1_000_000_000),
            enum(
                "leaky",
                "no",
                choices((0, "no"), (1, "upstream"), (2, "downstream")),
                "what goes when it is full: nothing, the new packet, the oldest",
                "leaky",
            ),
            integer("min-threshold-buffers", 0, "held back", low=0, high=U32, ignored=True),
            integer("min-threshold-bytes", 0, "held back", unit="bytes", low=0, high=U32, ignored=True),
            integer("min-threshold-time", 0, "held back", unit="ns", low=0, high=U64, ignored=True),
            boolean("flush-on-eos", False, "drop what it holds at the end", ignored=True),
            boolean("silent", False, "emit no signals", ignored=True),
            *_LEVELS,
        ),
        pads=BOTH,
    ),
    ElementKind(
        "queue2",
        "Holds packets, and tells how full it is",
        "Generic",
        "queue",
        properties=(
            *_limits(100, 2_097_152, 2_000_000_000),
            *_MARKS,
            boolean("use-rate-estimate", True, "guess times from the rate", ignored=True),
            *_LEVELS,
        ),
        pads=BOTH,
    ),
    ElementKind(
        "multiqueue",
        "Holds packets of several streams",
        "Generic",
        "queue",
        properties=(
            *_limits(5, 10_485_760, 2_000_000_000),
            *_MARKS,
            integer("extra-size-buffers", 5, "more, where another stream is empty", low=0, ignored=True),
            boolean("use-interleave", False, "as much as streams are apart", ignored=True),
        ),
        pads=(pad("sink_%u", "sink", "request"), pad("src_%u", "src", "sometimes")),
    ),
    ElementKind(
        "valve",
        "Lets packets through, or drops them",
        "Filter",
        "valve",
        properties=(
            boolean("drop", False, "drop everything", "drop"),
            enum(
                "drop-mode",
                "drop-all",
                choices("drop-all", "forward-sticky-events", "transform-to-gap"),
                "what passes all the same",
                ignored=True,
            ),
        ),
        pads=BOTH,
    ),
    ElementKind(
        "input-selector",
        "One of several inputs",
        "Generic",
        "selector",
        properties=(
            Property(
                "active-pad", object, None, "the input that passes: sink_1", option="active", make=pad_number
            ),
            boolean("sync-streams", True, "the others keep step with it", "sync"),
            enum(
                "sync-mode", "active-segment", choices("active-segment", "clock"), "with what", ignored=True
            ),
            boolean("cache-buffers", False, "begin with the last of the others", ignored=True),
            boolean("drop-backwards", False, "nothing twice", ignored=True),
            integer("n-pads", 0, "inputs", writable=False, read=lambda filter: len(filter.ipids)),
        ),
        pads=(pad("sink_%u", "sink", "request"), pad("src", "src")),
    ),
    ElementKind(
        "output-selector",
        "To one of several outputs",
        "Generic",
        "outputselector",
        properties=(
            Property(
                "active-pad", object, None, "the output that gets it: src_1", option="active", make=pad_number
            ),
            boolean("resend-latest", False, "begin with the last packet", "resend"),
        ),
        pads=(pad("sink", "sink"), pad("src_%u", "src", "request")),
        count_option="count",
    ),
    ElementKind(
        "funnel",
        "Several streams of one kind into one, as they come",
        "Generic",
        "funnel",
        properties=(boolean("forward-sticky-events", True, "tell which stream it is", ignored=True),),
        pads=(pad("sink_%u", "sink", "request"), pad("src", "src")),
    ),
    ElementKind(
        "concat",
        "Several streams, one after the other",
        "Generic",
        "concat",
        properties=(boolean("adjust-base", True, "each begins where the one before ended", ignored=True),),
        pads=(pad("sink_%u", "sink", "request"), pad("src", "src")),
    ),
    ElementKind(
        "capsfilter",
        "What is not of this kind is converted",
        "Generic",
        "forward",
        properties=(
            caps(default="ANY", help="what may pass"),
            enum(
                "caps-change-mode",
                "immediate",
                choices("immediate", "delayed"),
                "when new caps hold",
                ignored=True,
            ),
            QOS_OFF,
        ),
        pads=BOTH,
    ),
    ElementKind(
        "clocksync",
        "Each packet when its time has come",
        "Generic",
        "gate",
        properties=(
            boolean("sync", True, "each packet when its time has come", "sync"),
            boolean("sync-to-first", False, "count from the first packet", ignored=True),
            integer("ts-offset", 0, "later by so much", unit="ns", ignored=True),
        ),
        pads=BOTH,
    ),
    ElementKind(
        "progressreport",
        "Says how far it is",
        "Testing",
        "identity",
        properties=(
            integer("update-freq", 5, "from one report to the next", unit="s", low=1, high=MAX, ignored=True),
            boolean("silent", False, "say nothing", ignored=True),
        ),
        pads=BOTH,
    ),
)
