"""Messages, cut up anywhere; and what is no message."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.share.wire import MAX_BODY, FrameNote, Kind, Parser, WireError, frame, message, ready, release

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=5)
NUMBERS = st.integers(0, 2**64 - 1)
TIMES = st.none() | st.integers(1 - 2**63, 2**63 - 1)
NOTES = st.builds(
    FrameNote,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    NUMBERS,
    NUMBERS,
    TIMES,
    TIMES,
    TIMES,
    TIMES,
    st.integers(0, 2**16 - 1),
    OBJECTS,
)
WITH_OBJECT = (Kind.HELLO, Kind.WELCOME, Kind.MEMORY, Kind.FORMAT, Kind.CUT)
MESSAGES = st.one_of(
    st.tuples(st.sampled_from(WITH_OBJECT), OBJECTS),
    st.tuples(st.sampled_from((Kind.END, Kind.LEAVE)), st.none()),
    st.tuples(st.sampled_from((Kind.RELEASE, Kind.READY)), NUMBERS),
    st.tuples(st.just(Kind.FRAME), NOTES),
)


def said(kind: Kind, body: Any) -> bytes:
    if kind is Kind.FRAME:
        return frame(body)
    if kind in (Kind.RELEASE, Kind.READY):
        return {Kind.RELEASE: release, Kind.READY: ready}[kind](body)
    return message(kind, body)


@given(st.lists(MESSAGES, max_size=6), st.data())
def test_messages_come_whole_however_they_are_cut_up(messages: list[tuple[Kind, Any]], data: Any) -> None:
    stream = b"".join(said(*each) for each in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    parser = Parser()
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += list(parser.feed(stream[start:stop]))
    assert found == messages
    assert not parser.begun


@given(st.lists(MESSAGES, min_size=1, max_size=6))
def test_who_reads_no_more_than_is_wanted_gets_one_frame_at_a_time(messages: list[tuple[Kind, Any]]) -> None:
    """And as long as there is one, there is something left to read."""
    stream = b"".join(said(*each) for each in messages)
    parser = Parser()
    found: list[tuple[Kind, Any]] = []
    while stream:
        size = parser.wanted
        more = list(parser.feed(stream[:size]))
        stream = stream[size:]
        found += more
        assert [kind for kind, _ in more].count(Kind.FRAME) <= 1
        if Kind.FRAME in [kind for kind, _ in messages[len(found) :]]:
            assert stream
    assert found == messages
    assert not parser.begun


@given(st.binary(max_size=200))
def test_anything_else_is_an_error_or_not_yet_a_message(data: bytes) -> None:
    parser = Parser()
    try:
        for kind, _ in parser.feed(data):
            assert kind in Kind
    except WireError:
        pass
    else:
        assert parser.begun == bool(parser._bytes)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (struct.pack("<BBHI", 1, 0, 0, MAX_BODY + 1), "length 262145"),
        (struct.pack("<BBHI", 1, 7, 0, 0), "no head"),
        (struct.pack("<BBHI", 99, 0, 0, 0), "no kind of message: 99"),
        (struct.pack("<BBHI", 8, 0, 0, 2) + b"ab", "RELEASE of 2 bytes"),
        (struct.pack("<BBHI", 5, 0, 0, 2) + b"ab", "FRAME of 2 bytes"),
        (struct.pack("<BBHI", 1, 0, 0, 2) + b"[]", "no object"),
        (struct.pack("<BBHI", 1, 0, 0, 2) + b"\xff{", "no JSON"),
        (struct.pack("<BBHI", 1, 0, 0, 100_000) + b"[" * 100_000, "no JSON"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, text: str) -> None:
    with pytest.raises(WireError, match=text):
        list(Parser().feed(data))


def test_what_cannot_be_said_is_refused() -> None:
    with pytest.raises(WireError, match="too many for one message"):
        message(Kind.HELLO, {"text": "x" * MAX_BODY})
    with pytest.raises(WireError, match="cannot be said in JSON"):
        message(Kind.HELLO, {"number": float("nan")})
    with pytest.raises(WireError, match="whole numbers of 64 bits"):
        frame(FrameNote(1, 0, 1, 1, 1, dts=2**63))
    assert json.loads(message(Kind.HELLO, {"text": "é"})[8:]) == {"text": "é"}
