"""Sound output: what SDL's `disk` driver writes is what the loudspeakers would get."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path
from typing import Any, Literal

import numpy
import pytest

import reelway as rw
from reelway.display.sound import AudioSink
from reelway.display.window import VideoSink
from reelway.errors import UnsupportedError
from reelway.filters.sound import to_frame
from reelway.media.layout import Array
from reelway.testing.conformance import check_filter
from reelway.testing.parts import RESTART, Feed
from tests.display.showing import until
from tests.filters.raw import sound, sound_properties

RATE = 8000


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of samples that SDL plays into, about as fast as they last."""
    file = tmp_path / "played.raw"
    monkeypatch.setenv("SDL_AUDIODRIVER", "disk")
    monkeypatch.setenv("SDL_DISKAUDIOFILE", str(file))
    return file


def noise(seconds: float, channels: int = 1, format: str = "s16") -> Array:
    """(samples, channels) floats that `format` holds exactly; none of them is 0."""
    random = numpy.random.default_rng(1)
    whole = random.integers(1, 120, (round(seconds * RATE), channels))
    made: Array = (whole / 128).astype(numpy.float64 if format == "s32" else numpy.float32)
    return made


def play(items: Any, properties: dict[str, Any], **options: Any) -> AudioSink:
    with rw.Session() as session:
        sink = AudioSink(**options)
        session.add(Feed(items, properties=properties)) >> session.add(sink)
        session.run()
    return sink


def samples(file: Path, dtype: str, channels: int = 1, silence: int = 0) -> Array:
    """What was played, without the silence before, behind, and where the machine was late."""
    read = numpy.fromfile(file, dtype).reshape(-1, channels)
    kept: Array = read[(read != silence).any(1)]
    return kept


def test_the_contract_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    check_filter(AudioSink, sound(noise(0.01), "s16", size=20), sound_properties(RATE, 1, "s16"))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(("format", "dtype"), [("s16", "<i2"), ("flt", "<f4"), ("s32", "<i4"), ("u8", "u1")])
def test_every_sample_is_played_as_it_is(format: str, dtype: str, channels: int, played: Path) -> None:
    properties = sound_properties(RATE, channels, format)
    given = noise(0.3, channels, format)
    sink = play(sound(given, format, size=700), properties)
    wanted = to_frame(given, format).planes()[0]
    heard = samples(played, dtype, channels, silence=128 if format == "u8" else 0)
    assert numpy.array_equal(heard, wanted)
    assert sink.played_s == pytest.approx(0.3)
    assert sink.status == f"{RATE} Hz, {channels} channels, {format}, to disk"


@pytest.mark.parametrize(
    ("format", "channels"), [("fltp", 2), ("s16p", 1), ("dbl", 2), ("s64", 1), ("s16", 3)]
)
def test_what_sdl_does_not_take_is_converted(format: str, channels: int, played: Path) -> None:
    properties = sound_properties(RATE, channels, format)
    sink = play(sound(noise(0.1, channels), format, size=300), properties)
    assert sink.played_s == pytest.approx(0.1, abs=0.01)
    assert samples(played, "u1").size


@pytest.mark.alone
def test_it_takes_as_long_as_it_lasts(played: Path) -> None:
    """The device sets the pace; the queue holds no more than `buffer`."""
    started = time.monotonic()
    play(sound(noise(1.0), "s16", size=400), sound_properties(RATE, 1, "s16"))
    assert time.monotonic() - started > 0.75


def test_volume(played: Path) -> None:
    given = noise(0.1)
    play(sound(given, "s16", size=400), sound_properties(RATE, 1, "s16"), volume=0.5)
    heard = samples(played, "<i2")
    assert numpy.array_equal(heard, numpy.rint(given * 16384).astype(int))


def test_mute_and_volume_change_while_it_plays(played: Path) -> None:
    with rw.Session() as session:
        sink = AudioSink(buffer=0.05, mute=True)
        session.load("testaudio:sample_format=s16:freq=440") >> session.add(sink)
        thread = threading.Thread(target=session.run)
        thread.start()
        until(lambda: sink.played_s > 0.2)
        assert not numpy.fromfile(played, "<i2").any()
        sink.update("mute", False)
        sink.update("volume", 0.25)
        at = sink.played_s
        until(lambda: sink.played_s > at + 0.3)
        session.stop()
        thread.join(5)
    heard = numpy.fromfile(played, "<i2")
    loud = int(numpy.abs(heard.astype(int)).max())
    assert 0 < loud <= 32768 / 4 + 1


def test_a_seek_drops_what_is_queued(played: Path) -> None:
    given = noise(2.0)
    sink = play(
        [*sound(given[:8000], "s16", size=8000), RESTART, *sound(given[8000:8800], "s16", size=800)],
        sound_properties(RATE, 1, "s16"),
        buffer=5,
    )
    heard = samples(played, "<i2")[:, 0]
    last = to_frame(given[8000:8800], "s16").planes()[0][:, 0]
    assert numpy.array_equal(heard[-800:], last)
    assert heard.size < 8000, "most of the first second was dropped"
    assert sink.played_s == pytest.approx(1.1)


def test_another_format_in_the_middle(played: Path) -> None:
    """What came before is played to its end; then the device is opened anew, and the file is a new one."""
    given = noise(0.1, 2)
    play(
        [
            *sound(given[:, :1], "s16", size=400),
            sound_properties(RATE, 2, "flt"),
            *sound(given, "flt", size=400),
        ],
        sound_properties(RATE, 1, "s16"),
    )
    assert numpy.array_equal(samples(played, "<f4", 2), given)


def test_beside_a_window(played: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both outputs in one session, and both end."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with rw.Session() as session:
        sounds, pictures = session.load("aout"), session.load("vout")
        assert isinstance(sounds, AudioSink)
        assert isinstance(pictures, VideoSink)
        session.load("testaudio:sample_format=s16:duration=0.5") >> sounds
        session.load("testvideo:live=on:frames=10") >> pictures
        session.run()
        assert pictures.shown == 10
        assert sounds.played_s == pytest.approx(0.5)


@pytest.mark.parametrize("flush", ["all", "none"])
def test_stop_is_soon_done(flush: Literal["all", "none"], played: Path) -> None:
    with rw.Session() as session:
        sink = AudioSink()
        session.load("testaudio:sample_format=s16") >> session.add(sink)
        thread = threading.Thread(target=session.run)
        thread.start()
        until(lambda: sink.played_s > 0.5)
        session.stop(flush)
        thread.join(2)
        assert not thread.is_alive()
    until(lambda: not [other for other in threading.enumerate() if "audiosink" in other.name])


def test_without_a_device_the_error_names_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "nosuch")
    with pytest.raises(UnsupportedError, match="no sound device: ") as caught:
        play(sound(noise(0.1), "s16"), sound_properties(RATE, 1, "s16"))
    for way in ("SDL_AUDIODRIVER=dummy", "fakesink", "write a file"):
        assert way in (caught.value.hint or "")


def test_twenty_sessions_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")

    def once() -> None:
        play(sound(noise(0.02), "s16", size=40), sound_properties(RATE, 1, "s16"))

    def held() -> tuple[int, int, int]:
        gc.collect()
        threads = len(os.listdir("/proc/self/task"))
        return threading.active_count(), threads, len(os.listdir("/proc/self/fd"))

    once()
    before = held()
    for _ in range(20):
        once()
    until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)), "something is left")
