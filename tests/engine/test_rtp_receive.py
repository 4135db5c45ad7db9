"""RTP taken apart, and put together again: whatever is sent comes out, and what is missing is said."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.engine.rtpreceive import MOST_HELD, WAIT_S, Receiver, Unit
from reelway.engine.rtpsound import Aac, Opus, Samples, aac_of
from reelway.engine.rtpvideo import BURST, CODE, H264, Hevc, Video
from reelway.engine.rtspstreams import Lane
from reelway.engine.sdpread import Offer

KIND, CLOCK, SSRC = 96, 90000, 7


def rtp(number: int, time: int, marker: bool, payload: bytes, *, ssrc: int = SSRC) -> bytes:
    return struct.pack(">BBHII", 0x80, KIND | marker << 7, number & 0xFFFF, time & 0xFFFFFFFF, ssrc) + payload


def received(codec: str, packets: Iterable[bytes], *, reorders: bool = False) -> list[Unit]:
    video: Video = H264() if codec == "h264" else Hevc()
    receiver = Receiver(video, KIND, CLOCK, reorders=reorders)
    for packet in packets:
        receiver.take(packet, 0, len(packet), 0.0)
    receiver.release()
    return list(video.units)


def unit(codec: str, kind: int, body: bytes) -> bytes:
    head = bytes((0x60 | kind,)) if codec == "h264" else bytes((kind << 1, 1))
    return head + body


@st.composite
def pictures(draw: st.DrawFn) -> tuple[str, list[list[bytes]]]:
    """A codec, and pictures of it as lists of NAL units: parameter sets in front, slices behind."""
    codec = draw(st.sampled_from(["h264", "hevc"]))
    slices, others = ((1, 5), (6, 7, 8, 9)) if codec == "h264" else ((0, 1, 19, 21), (32, 33, 34, 35, 39))
    body = st.binary(min_size=3, max_size=60)
    found = []
    for _ in range(draw(st.integers(1, 5))):
        units = [
            unit(codec, kind, draw(body)) for kind in draw(st.lists(st.sampled_from(others), max_size=3))
        ]
        for number in range(draw(st.integers(1, 3))):
            first = b"\x80" if number == 0 else b"\x40"
            units.append(unit(codec, draw(st.sampled_from(slices)), first + draw(body)))
        found.append(units)
    return codec, found


@st.composite
def payloads(draw: st.DrawFn, codec: str, units: list[bytes]) -> list[bytes]:
    """NAL units in any of the ways in which RTP may carry them."""
    found, rest = [], list(units)
    size = 1 if codec == "h264" else 2
    while rest:
        way = draw(st.sampled_from(["single", "together", "fragments"]))
        if way == "together":
            several = [rest.pop(0) for _ in range(draw(st.integers(1, len(rest))))]
            head = b"\x78" if codec == "h264" else b"\x60\x01"
            found.append(head + b"".join(len(each).to_bytes(2, "big") + each for each in several))
            continue
        whole = rest.pop(0)
        if way == "single":
            found.append(whole)
            continue
        step = draw(st.integers(1, max(1, len(whole) - size - 1)))
        parts = [whole[at : at + step] for at in range(size, len(whole), step)]
        for i, part in enumerate(parts):
            if codec == "h264":
                said = (i == 0) << 7 | (i == len(parts) - 1) << 6 | whole[0] & 31
                found.append(bytes((whole[0] & 0xE0 | 28, said)) + part)
            else:
                said = (i == 0) << 7 | (i == len(parts) - 1) << 6 | whole[0] >> 1 & 63
                found.append(bytes((whole[0] & 0x81 | 49 << 1, whole[1], said)) + part)
    return found


@st.composite
def sent(draw: st.DrawFn) -> tuple[str, list[list[bytes]], list[list[bytes]]]:
    """A codec, its pictures, and for each the packets that carry it."""
    codec, coded = draw(pictures())
    number, time = draw(st.integers(0, 0xFFFF)), draw(st.integers(0, 0xFFFFFFFF))
    packets = []
    for i, units in enumerate(coded):
        made = draw(payloads(codec, units))
        packets.append(
            [rtp(number + j, time + 3600 * i, j == len(made) - 1, each) for j, each in enumerate(made)]
        )
        number += len(made)
    return codec, coded, packets


def bytes_of(units: list[bytes]) -> bytes:
    return b"".join(CODE + each for each in units)


@given(sent())
def test_what_was_taken_apart_is_put_together_again(
    said: tuple[str, list[list[bytes]], list[list[bytes]]],
) -> None:
    codec, coded, packets = said
    found = received(codec, [each for picture in packets for each in picture])
    assert [each.data for each in found] == [bytes_of(units) for units in coded]
    assert not any(each.broken for each in found)
    assert [each.time - found[0].time for each in found] == [3600 * i for i in range(len(coded))]


@given(sent(), st.randoms(use_true_random=False))
def test_datagrams_in_another_order_are_put_into_theirs(
    said: tuple[str, list[list[bytes]], list[list[bytes]]], chance: object
) -> None:
    codec, coded, packets = said
    first, *rest = [each for picture in packets for each in picture]
    assert len(rest) <= MOST_HELD
    chance.shuffle(rest)  # type: ignore[attr-defined]
    found = received(codec, [first, *rest, *rest[:3]], reorders=True)
    assert [each.data for each in found] == [bytes_of(units) for units in coded]
    assert not any(each.broken for each in found)


@given(sent(), st.data(), st.booleans())
def test_a_picture_that_lacks_something_is_said_to(
    said: tuple[str, list[list[bytes]], list[list[bytes]]], data: st.DataObject, reorders: bool
) -> None:
    codec, coded, packets = said
    missing = data.draw(
        st.sets(st.sampled_from([(i, j) for i, each in enumerate(packets) for j in range(len(each))]))
    )
    came = [
        each for i, picture in enumerate(packets) for j, each in enumerate(picture) if (i, j) not in missing
    ]
    hurt = {i for i, _ in missing}
    for each in received(codec, came, reorders=reorders):
        if not each.broken:
            whole = [i for i, units in enumerate(coded) if bytes_of(units).endswith(each.data)]
            assert whole, "what was not said to be broken was never sent"
            # what is missing may be what stood before the picture: parameter sets, which are known
            assert any(i not in hurt or each.data != bytes_of(coded[i]) for i in whole)


@given(st.lists(st.binary(max_size=64), max_size=20), st.booleans(), st.booleans())
def test_any_payload_makes_no_error(bodies: list[bytes], h264: bool, marker: bool) -> None:
    for format in (H264() if h264 else Hevc(), Aac(13, 3, 3), Aac(6, 2, 2), Opus(), Samples(4)):
        receiver = Receiver(format, KIND, CLOCK)
        for i, body in enumerate(bodies):
            packet = rtp(i, i // 3 * 3600, marker, body)
            receiver.take(packet, 0, len(packet), 0.0)
        assert sum(len(each.data) for each in format.units) <= 5 * sum(map(len, bodies)) + 4 * len(bodies)
        assert all(each.data for each in format.units)


@given(st.lists(st.binary(max_size=64), max_size=20), st.binary(max_size=100))
def test_any_bytes_as_packets_and_reports_make_no_error(packets: list[bytes], report: bytes) -> None:
    receiver = Receiver(H264(), KIND, CLOCK, reorders=True)
    for packet in packets:
        receiver.take(b"\x80\x60" + packet, 0, len(packet) + 2, 0.0)
        receiver.take(packet, 0, len(packet), 0.0)
        receiver.control(packet, 0.0)
        receiver.control(b"\x80\xc8\x00\x06" + packet, 0.0)
    receiver.control(report, 0.0)
    receiver.clock_told()
    receiver.look(1.0)
    assert len(receiver.held) <= MOST_HELD
    assert len(receiver.report(1, 1.0)) % 4 == 0


def slice_of(kind: int = 1, first: bool = True) -> bytes:
    return unit("h264", kind, (b"\x80" if first else b"\x40") + b"abc")


def test_a_picture_is_given_with_the_packet_that_says_it_is_the_last() -> None:
    video = H264()
    receiver = Receiver(video, KIND, CLOCK)
    for number, (marker, there) in enumerate([(False, 0), (True, 1)]):
        packet = rtp(number, 0, marker, slice_of(first=not number))
        receiver.take(packet, 0, len(packet), 0.0)
        assert len(video.units) == there


def test_where_no_mark_is_set_the_next_time_tells() -> None:
    found = received("h264", [rtp(i, i // 2 * 3600, False, slice_of(first=i % 2 == 0)) for i in range(6)])
    assert [each.data for each in found] == [bytes_of([slice_of(), slice_of(first=False)])] * 2


def test_marks_in_the_middle_of_pictures_are_not_believed() -> None:
    """After one that was cut in two, which is said, pictures come whole."""
    found = received("h264", [rtp(i, i // 2 * 3600, True, slice_of(first=i % 2 == 0)) for i in range(8)])
    assert found[1].broken
    whole = bytes_of([slice_of(), slice_of(first=False)])
    assert [(each.data, each.broken) for each in found[2:]] == [(whole, False)] * 2


def test_a_mark_behind_parameter_sets_alone_ends_no_picture() -> None:
    sets = [unit("h264", 7, b"abc"), unit("h264", 8, b"abc")]
    packets = [rtp(i, 0, True, each) for i, each in enumerate([*sets, slice_of(5)])]
    (found,) = received("h264", packets)
    assert found.data == bytes_of([*sets, slice_of(5)])
    assert found.key


@pytest.mark.parametrize(("missing", "broken"), [(1, False), (BURST, True)])
def test_pictures_that_are_missing_as_a_whole(missing: int, broken: bool) -> None:
    """Few of them are told by the numbers of the pictures; many might be as many as are counted."""
    packets = [rtp(0, 0, True, slice_of(5)), rtp(missing + 1, 3600 * missing, True, slice_of())]
    assert [each.broken for each in received("h264", packets)] == [False, broken]
    packets[1] = rtp(missing + 1, 3600 * missing, True, slice_of(5))
    assert not any(each.broken for each in received("h264", packets))


def test_between_messages_nothing_is_missing_but_what_the_sender_left_out() -> None:
    lane = Lane(Offer("video", KIND, encoding="H264", clock=CLOCK), reorders=False)
    for packet in (rtp(0, 0, True, slice_of(5)), rtp(2, 7200, True, slice_of())):
        lane.receiver.take(packet, 0, len(packet), 0.0)
    assert [each.broken for each in lane.units] == [False, True]


@given(st.booleans(), st.binary(max_size=80))
def test_any_parameter_sets_describe_a_stream_or_none(h264: bool, body: bytes) -> None:
    encoding, kind = ("H264", 7) if h264 else ("H265", 33)
    lane = Lane(Offer("video", KIND, encoding=encoding, clock=CLOCK), reorders=False)
    payload = unit(encoding.replace("H265", "hevc").lower(), kind, body + b"abc")
    packet = rtp(0, 0, True, payload)
    lane.receiver.take(packet, 0, len(packet), 0.0)
    assert lane.ready
    lane.open(av.open("parameters", "w", format="null"))
    assert lane.stream.codec_context.width <= 1 << 15


def test_what_is_missing_is_waited_for_and_then_given_up() -> None:
    video = H264()
    receiver = Receiver(video, KIND, CLOCK, reorders=True)
    for number in (0, 2, 3):
        packet = rtp(number, number * 3600, True, slice_of(5))
        receiver.take(packet, 0, len(packet), 10.0 + number)
    assert len(video.units) == 1
    assert receiver.due_s() == 12.0 + WAIT_S
    receiver.look(12.0)
    assert len(video.units) == 1
    receiver.look(12.0 + WAIT_S)
    assert len(video.units) == 3
    assert receiver.due_s() is None
    assert receiver.lost == 1


def test_a_sender_that_begins_anew_is_followed() -> None:
    packets = [rtp(100 + i, 3600 * i, True, slice_of(5)) for i in range(3)]
    packets += [rtp(60000 + i, 3600 * i, True, slice_of(5), ssrc=8) for i in range(3)]
    packets += [rtp(20000 + i, 3600 * i, True, slice_of(5), ssrc=8) for i in range(3)]
    for reorders in (False, True):
        assert len(received("h264", packets, reorders=reorders)) == 9


def test_times_wrap_around() -> None:
    found = received("h264", [rtp(65534 + i, 0xFFFFF000 + 3600 * i, True, slice_of(5)) for i in range(4)])
    assert [each.time - 0xFFFFF000 for each in found] == [0, 3600, 7200, 10800]


def test_what_a_sender_report_says_and_what_is_answered() -> None:
    receiver = Receiver(H264(), KIND, CLOCK)
    for number in (10, 11, 13, 14):
        packet = rtp(number, 3600 * number, True, slice_of(5))
        receiver.take(packet, 0, len(packet), 1.0)
    wall_s = 1_700_000_000
    ntp = wall_s + 2_208_988_800, 1 << 31
    receiver.control(struct.pack(">BBHIIIIII", 0x80, 200, 6, SSRC, *ntp, 3600 * 14, 4, 400), 2.0)
    assert receiver.clock_told() == (wall_s * 10**9 + 5 * 10**8, 3600 * 14)
    said = receiver.report(99, 2.5)
    first, kind, _, own, ssrc, lost, highest, _, middle, since = struct.unpack(">BBHIIIIIII", said[:32])
    assert (first, kind, own, ssrc) == (0x81, 201, 99, SSRC)
    assert (lost >> 24, lost & 0xFFFFFF, highest) == (256 // 5, 1, 14)
    assert (middle, since) == ((ntp[0] & 0xFFFF) << 16 | 1 << 15, 32768)
    receiver.control(struct.pack(">BBHI", 0x81, 203, 1, SSRC), 3.0)
    assert receiver.over


def frames(format: Aac, *payloads: tuple[int, bool, bytes]) -> list[Unit]:
    receiver = Receiver(format, KIND, 48000)
    for number, (time, marker, payload) in enumerate(payloads):
        packet = rtp(number, time, marker, payload)
        receiver.take(packet, 0, len(packet), 0.0)
    return list(format.units)


def test_frames_of_aac_together_and_in_parts() -> None:
    several = b"\x00\x20" + struct.pack(">HH", 3 << 3, 2 << 3) + b"abcde"
    part = [b"\x00\x10" + struct.pack(">H", 5 << 3) + each for each in (b"xy", b"z12")]
    found = frames(Aac(13, 3, 3), (0, True, several), (2048, False, part[0]), (2048, True, part[1]))
    assert [(each.data, each.time) for each in found] == [(b"abc", 0), (b"de", 1024), (b"xyz12", 2048)]
    low = frames(Aac(6, 2, 2), (0, True, b"\x00\x08" + bytes((3 << 2,)) + b"abc"))
    assert [each.data for each in low] == [b"abc"]


def test_what_aac_is_read_here() -> None:
    told = {"config": "1190", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3"}
    found = aac_of(told, 48000)
    assert found is not None
    assert found[1:] == (b"\x11\x90", 2)
    assert aac_of({**told, "config": "119056e500"}, 48000) is not None
    assert aac_of({**told, "config": "119056e580"}, 48000) is None  # played at twice the rate
    assert aac_of({**told, "config": "1390"}, 48000) is None  # another rate
    assert aac_of({**told, "config": "2b920800"}, 48000) is None  # spectral band replication
    assert aac_of({**told, "ctsdeltalength": "2"}, 48000) is None
    assert aac_of({**told, "config": "zz"}, 48000) is None


@pytest.mark.parametrize(
    ("packet", "ticks"),
    [(b"\x78", 960), (b"\x7b\x03", 2880), (b"\x18", 2880), (b"\x60", 480), (b"\xe1", 240)],
)
def test_how_long_opus_is(packet: bytes, ticks: int) -> None:
    opus = Opus()
    opus.add(packet, 0, len(packet), 0, True, 0)
    assert opus.units[0].duration == ticks


def _lane(reorder: int) -> Lane:
    lane = Lane(Offer("video", KIND, encoding="H264", clock=CLOCK, fps=Fraction(25)), False)
    lane._delay, lane._duration = reorder, 3600
    return lane


def _shuffled(depth: int) -> Iterator[int]:
    """Display times of pictures in the order of decoding, some of them shown `depth` later."""
    if not depth:
        yield from range(20)
        return
    yield 0
    for begin in range(1, 20, depth + 1):
        yield begin + depth
        yield from range(begin, begin + depth)


@pytest.mark.parametrize("told", [0, 1, 2])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_pictures_are_decoded_before_they_are_shown(told: int, depth: int) -> None:
    """Also where more are out of order than the stream says; that is noticed with the first of them."""
    lane = _lane(told)
    shown = [3600 * each for each in _shuffled(depth)]
    decoded = [lane._decoded(each) for each in shown]
    assert all(a <= b for a, b in zip(decoded, shown, strict=True))
    if told or not depth:
        assert all(a < b for a, b in itertools.pairwise(decoded))
    else:
        assert all(a < b for a, b in itertools.pairwise(decoded[4:]))


# Habits of senders that are none of a loss


SLICE = unit("h264", 5, b"\x80" + bytes(20))


@pytest.mark.parametrize(("codec", "kinds"), [("h264", (0, 30, 31)), ("hevc", (51, 63))])
def test_units_of_kinds_that_nobody_uses_are_left_out(codec: str, kinds: tuple[int, ...]) -> None:
    picture = SLICE if codec == "h264" else unit("hevc", 19, b"\x80" + bytes(20))
    packets = [rtp(i, 0, False, unit(codec, kind, b"12345")) for i, kind in enumerate(kinds)]
    (found,) = received(codec, [*packets, rtp(len(kinds), 0, True, picture)])
    assert (found.data, found.broken) == (CODE + picture, False)


@pytest.mark.parametrize("back", [1, 8, 300])
def test_over_tcp_a_sender_may_count_anew(back: int) -> None:
    numbers = [*range(1000, 1010), *range(1010 - back, 1020 - back)]
    packets = [rtp(number, 3600 * i, True, SLICE) for i, number in enumerate(numbers)]
    units = received("h264", packets)
    assert [each.broken for each in units] == [False] * 20


def test_only_the_sender_itself_ends_its_stream() -> None:
    receiver = Receiver(H264(), KIND, CLOCK)
    packet = rtp(1, 0, True, SLICE)
    receiver.take(packet, 0, len(packet), 0.0)
    for ssrcs, over in (((4242,), False), ((), False), ((4242, SSRC), True)):
        body = struct.pack(f">{len(ssrcs)}I", *ssrcs)
        receiver.control(struct.pack(">BBH", 0x80 | len(ssrcs), 203, len(ssrcs)) + body + bytes(8), 0.0)
        assert receiver.over == over
    receiver.over = False
    receiver.control(struct.pack(">BBHI", 0x80 | 31, 203, 1, SSRC + 1), 0.0)  # says that there are more
    assert not receiver.over


def test_of_another_sender_the_clock_is_not_known_yet() -> None:
    receiver = Receiver(H264(), KIND, CLOCK)
    packet = rtp(1, 0, True, SLICE)
    receiver.take(packet, 0, len(packet), 0.0)
    receiver.control(struct.pack(">BBHIIIIII", 0x80, 200, 6, SSRC, 3_900_000_000, 0, 0, 1, 1), 0.0)
    assert receiver.clock_told() is not None
    told = receiver.told
    packet = rtp(1, 90000, True, SLICE, ssrc=SSRC + 1)
    receiver.take(packet, 0, len(packet), 0.0)
    assert receiver.clock_told() is None
    assert receiver.told > told
