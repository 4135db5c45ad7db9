"""Recorders behind elements of applications."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelway as rw
from reelway.record import Recorder

TEXT = "videotestsrc ! video/x-raw,width=64,height=48,framerate=30/1 ! tee name=t t. ! fakesink"


def test_a_recorder_behind_an_element_takes_the_options_of_any(tmp_path: Path) -> None:
    with rw.launch(TEXT) as app:
        app.play()
        app.wait_for(rw.State.PLAYING)
        recorder = Recorder(
            app,
            "t",
            str(tmp_path / "clip.mkv"),
            before_s=0.2,
            after_s=0.2,
            live=False,
            spill=tmp_path,
            ring_chain="queue ! videoscale ! video/x-raw,width=32,height=24",
        )
        info = recorder.record().wait(20.0)
        recorder.close()
    frames = list(rw.frames(info.path, pixel_format="gray"))
    assert len(frames) == pytest.approx(30 * info.duration_s, abs=1)
    assert info.duration_s >= 0.15
    assert frames[0].array.shape == (24, 32)


def test_an_application_that_does_not_run_is_named(tmp_path: Path) -> None:
    with rw.launch(TEXT) as app:
        app.set_state(rw.State.NULL)
        with pytest.raises(rw.StateError, match="this application does not run"):
            Recorder(app, "t", str(tmp_path / "clip.mkv"))
