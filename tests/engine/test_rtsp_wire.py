"""RTSP's messages, who asks, and what is offered, read from bytes of any kind."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelway.engine.rtspauth import Authorization, challenges
from reelway.engine.rtspclient import _joined
from reelway.engine.rtspwire import BODY, HEAD, MESSAGE, MORE, Wire, request
from reelway.engine.sdpread import read_description
from reelway.errors import FormatError
from tests.secrets import PASSWORD, USER

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nX-Long: one\r\n two\r\nContent-Length: 4\r\n\r\nbody"
PACKET = b"$\x02\x00\x05hello"


def fed(wire: Wire, data: bytes) -> list[object]:
    """Messages, and packets with their channels, of `data` as it comes bit by bit."""
    found: list[object] = []
    while data:
        space = wire.space()
        count = min(len(space), len(data))
        space[:count] = data[:count]
        wire.received(count)
        data = data[count:]
        while (said := wire.next()) != MORE:
            if said == MESSAGE:
                found.append(wire.message)
            else:
                found.append((said, bytes(wire.buffer[wire.start : wire.stop])))
    return found


@given(st.lists(st.sampled_from([ANSWER, PACKET]), min_size=1, max_size=30), st.integers(1, 40))
def test_messages_and_packets_are_told_apart_however_they_come(parts: list[bytes], step: int) -> None:
    parts = [ANSWER, *parts]
    wire, whole, found = Wire(), b"".join(parts), []
    for at in range(0, len(whole), step):
        found += fed(wire, whole[at : at + step])
    assert len(found) == len(parts)
    for part, each in zip(parts, found, strict=True):
        if part is PACKET:
            assert each == (2, b"hello")
        else:
            assert each.status == 200  # type: ignore[attr-defined]
            assert each.header("x-long") == "one two"  # type: ignore[attr-defined]
            assert each.body == b"body"  # type: ignore[attr-defined]


@given(
    st.lists(
        st.sampled_from([b"RTSP/1.0 ", b"$", b"\r\n\r\n", b"Content-Length: 9", b"200", b"\xff" * 99]),
        max_size=40,
    )
)
def test_noise_is_left_out_or_an_error(parts: list[bytes]) -> None:
    for noise in (b"".join(parts), ANSWER + b"".join(parts)):
        wire = Wire()
        with contextlib.suppress(FormatError):
            fed(wire, noise)
        assert len(wire.buffer) <= 1 << 18


@given(st.binary(max_size=300))
def test_any_bytes_are_left_out_or_an_error(noise: bytes) -> None:
    for data in (noise, ANSWER + noise, b"RTSP/1.0 " + noise):
        wire = Wire()
        with contextlib.suppress(FormatError):
            fed(wire, data)
        assert len(wire.buffer) <= 1 << 18


@pytest.mark.parametrize(
    "data",
    [
        b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * HEAD,
        b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (BODY + 1),
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 twenty OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        ANSWER + b"\x80" * (1 << 20),
    ],
)
def test_what_can_be_no_rtsp(data: bytes) -> None:
    with pytest.raises(FormatError):
        fed(Wire(), data)


def test_the_largest_packet_and_the_largest_message() -> None:
    packet = b"$\x00\xff\xff" + bytes(0xFFFF)
    message = b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY + bytes(BODY)
    found = fed(Wire(), packet + message + packet)
    assert [each[1] for each in found[::2]] == [bytes(0xFFFF)] * 2  # type: ignore[index]
    assert found[1].body == bytes(BODY)  # type: ignore[attr-defined]


def test_a_server_asks_too() -> None:
    (found,) = fed(Wire(), b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n")
    assert (found.status, found.reason, found.header("cseq")) == (0, "OPTIONS", "9")  # type: ignore[attr-defined]


def test_a_request_is_one_and_no_two() -> None:
    assert request("PLAY", "rtsp://a/", {"CSeq": "1"}) == b"PLAY rtsp://a/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    with pytest.raises(FormatError):
        request("PLAY", "rtsp://a/\r\nTEARDOWN rtsp://b/", {})


# Who asks


def test_what_is_asked_for_is_read() -> None:
    said = ['Digest realm="a, \\"b\\"", nonce="n=1", qop="auth,auth-int", Basic realm=c']
    assert challenges(said) == [
        ("digest", {"realm": 'a, "b"', "nonce": "n=1", "qop": "auth,auth-int"}),
        ("basic", {"realm": "c"}),
    ]


@pytest.mark.parametrize("algorithm", ["", "MD5", "SHA-256", "MD5-sess"])
@pytest.mark.parametrize("qop", [False, True])
def test_a_digest_is_what_the_server_works_out(algorithm: str, qop: bool) -> None:
    who = Authorization(USER, PASSWORD)
    told = f'Digest realm="r", nonce="n", opaque="o"{", algorithm=" + algorithm if algorithm else ""}'
    assert who.answer([told + (', qop="auth"' if qop else "")])
    for count in (1, 2):
        said = who.header("DESCRIBE", "rtsp://h/a")
        found = dict(re.findall(r'(\w+)="?([^",]+)', said.removeprefix("Digest ")))
        make = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

        def digest(text: str) -> str:
            return make(text.encode()).hexdigest()  # noqa: B023

        first, second = digest(f"{USER}:r:{PASSWORD}"), digest("DESCRIBE:rtsp://h/a")
        if algorithm.endswith("sess"):
            if not qop:
                return  # then nobody is told the client's own word
            first = digest(f"{first}:n:{found['cnonce']}")
        middle = f"n:{count:08x}:{found['cnonce']}:auth" if qop else "n"
        assert found["response"] == digest(f"{first}:{middle}:{second}")
        assert found["opaque"] == "o"
        assert PASSWORD not in said


def test_the_best_of_what_is_offered_is_taken_and_a_refusal_understood() -> None:
    who = Authorization(USER, PASSWORD)
    assert who.header("PLAY", "rtsp://h/") == ""
    offered = [
        'Basic realm="r"',
        'Digest realm="r", nonce="n"',
        'Digest realm="r", nonce="n", algorithm=SHA-256',
    ]
    assert who.answer(offered)
    assert "algorithm=SHA-256" in who.header("PLAY", "rtsp://h/")
    assert not who.answer(offered)
    assert who.answer(['Digest realm="r", nonce="m", stale=true'])
    assert 'nonce="m"' in who.header("PLAY", "rtsp://h/")
    assert not who.answer(['Digest realm="r", nonce="k"'])  # the first answer to it was wrong
    who.header("PLAY", "rtsp://h/"), who.header("PLAY", "rtsp://h/")
    assert who.answer(['Digest realm="r", nonce="l"'])  # that nonce was good once
    assert not Authorization(USER, PASSWORD).answer(["Bearer x", 'Digest realm="r"', ""])
    assert PASSWORD not in repr(who)


@given(st.lists(st.text(max_size=60), max_size=3), st.text(max_size=30))
def test_any_challenge_is_answered_or_not(headers: list[str], more: str) -> None:
    who = Authorization(USER, PASSWORD)
    if who.answer([*headers, "Digest " + more]):
        assert who.header("PLAY", "rtsp://h/").startswith(("Basic ", "Digest "))


# What is offered


SDP = b"""v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=cam\r
a=control:*\r
a=range:npt=now-\r
m=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA==\r
a=framerate:29.97\r
a=control:trackID=1\r
m=audio 0 RTP/AVP 0\r
a=control:trackID=2\r
m=audio 0 RTP/AVP 97\r
a=rtpmap:97 mpeg4-generic/48000/2\r
a=sendonly\r
"""


def test_a_description_is_read() -> None:
    found = read_description(SDP)
    video, sound, back = found.offers
    assert (found.control, found.ends) == ("*", False)
    assert (video.encoding, video.clock, video.control) == ("H264", 90000, "trackID=1")
    assert video.fps == Fraction(30000, 1001)
    assert [unit[0] & 31 for unit in video.sets] == [7, 8]
    assert (sound.encoding, sound.clock, sound.channels, sound.wanted) == ("PCMU", 8000, 1, True)
    assert (back.encoding, back.channels, back.wanted) == ("MPEG4-GENERIC", 2, False)
    assert read_description(SDP.replace(b"npt=now-", b"npt=0-30.5")).ends
    assert not read_description(SDP.replace(b"npt=now-", b"npt=0-")).ends


@given(st.lists(st.sampled_from(SDP.splitlines()), max_size=20), st.binary(max_size=99), st.integers(0, 400))
def test_any_bytes_as_a_description(lines: list[bytes], noise: bytes, at: int) -> None:
    text = b"\n".join(lines)
    for data in (noise, text[:at] + noise + text[at:]):
        assert all(isinstance(unit, bytes) for each in read_description(data).offers for unit in each.sets)


@pytest.mark.parametrize(
    ("base", "control", "expected"),
    [
        ("rtsp://h/cam/", "stream=0", "rtsp://h/cam/stream=0"),
        ("rtsp://h/cam", "stream=0", "rtsp://h/cam/stream=0"),
        ("rtsp://h/cam?x=1", "trackID=1", "rtsp://h/cam?x=1/trackID=1"),
        ("rtsp://h/cam", "*", "rtsp://h/cam"),
        ("rtsp://h/cam", "", "rtsp://h/cam"),
        ("rtsp://h/cam", "rtsp://h/other/1", "rtsp://h/other/1"),
    ],
)
def test_addresses_of_streams(base: str, control: str, expected: str) -> None:
    assert _joined(base, control) == expected


@pytest.mark.parametrize("sets", ["AAAA", "AAAAAAAA", "", "Zw==", "%%%%"])
def test_parameter_sets_that_are_none(sets: str) -> None:
    text = (
        f"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 sprop-parameter-sets={sets}\r\n"
    )
    (offer,) = read_description(text.encode()).offers
    assert offer.sets == []


@pytest.mark.alone
@pytest.mark.parametrize("word", ["a", "-", "a ", "a=", 'a="', "\\"])
def test_a_challenge_of_any_length_is_read_at_once(word: str) -> None:
    """A server can say 64 KiB, and all else in the process would wait."""
    began_s = time.process_time()
    challenges([word * 30_000 + "!"] * 8)
    assert time.process_time() - began_s < 0.5


def test_a_line_that_ends_in_the_middle_of_a_header_makes_no_other_one() -> None:
    (message,) = fed(Wire(), b'RTSP/1.0 401 No\r\nWWW-Authenticate: Digest realm="a\rb", nonce="n"\r\n\r\n')
    assert challenges(message.headers["www-authenticate"]) == [  # type: ignore[attr-defined]
        ("digest", {"realm": "a b", "nonce": "n"})
    ]
