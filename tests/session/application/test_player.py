"""playbin: what it puts behind the streams of an address, and that it goes again."""

from __future__ import annotations

import pytest

import reelway as rw
from reelway.session.application.application import Application
from reelway.session.application.build import build
from reelway.session.application.element import make_element
from tests.media import make


def application(more: str = "", source: str = "film.mp4") -> Application:
    uri = make.media(source).as_uri()
    return Application(build(f"playbin name=p uri={uri} {more}"))


def test_pictures_and_sound_are_played_to_the_end() -> None:
    with application("video-sink=fakesink audio-sink=fakesink volume=0.25") as app:
        app.play()
        assert app.wait(30)
        kinds = [element.kind.name for element in app.pipeline]
        assert kinds.count("fakesink") == 2
        assert {"videoconvert", "audioconvert", "audioresample", "volume"} <= set(kinds)
        assert app["volume0"].get("volume") == 0.25
        assert app.query.duration() == pytest.approx(4.0, abs=0.1)
        sinks = [element.filter for element in app.pipeline if element.kind.name == "fakesink"]
        assert min(filter.packets for filter in sinks) == 100  # type: ignore[union-attr]


def test_what_it_put_in_goes_with_the_pipeline_and_comes_again() -> None:
    app = application("video-sink=fakesink audio-sink=fakesink")
    for _ in range(2):
        app.play()
        assert app.wait(30)
        assert len(app.pipeline.elements) > 1
        app.stop()
        assert [element.name for element in app.pipeline] == ["p"]


def test_the_sink_may_be_an_element_and_volume_is_live() -> None:
    with application("audio-sink=fakesink") as app:
        sink = make_element("fakesink", "mine")
        app["p"].set("video-sink", sink)
        app.play()
        assert app.wait(30)
        assert app["mine"] is sink
        app["p"].set("mute", True)
        assert app["volume0"].get("mute") is True


def test_flags_say_what_is_played() -> None:
    with application("audio-sink=fakesink flags=audio") as app:
        app.play()
        assert app.wait(30)
        assert "videoconvert" not in [element.kind.name for element in app.pipeline]


def test_a_file_that_is_not_there_is_an_error() -> None:
    app = Application(build("playbin uri=file:///none/of/it.mp4"))
    app.play()
    with pytest.raises(rw.OpenError):
        app.wait(30)
    app.stop()
