"""A camera that is lost while it is recorded, and comes back."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import av
import pytest

import reelway as rw
from reelway.media.events import Event, Gap
from reelway.record import Recorder, Recording
from tests.live.conftest import MakeServer, coded, rtsp_server
from tests.media.make import read_counter

__all__ = ["coded", "rtsp_server"]


class Watch(rw.Filter):
    """Says when a second of pictures has come, and when one has come after a gap."""

    inputs = (rw.Caps(),)

    def __init__(self) -> None:
        super().__init__()
        self.comes, self.back = threading.Event(), threading.Event()
        self.pictures = 0
        self.again = False

    def process(self) -> float | None:
        for pid in self.ipids:
            for _ in pid:
                self.pictures += pid.properties["StreamType"] == "Visual"
        if self.pictures >= 25:
            (self.back if self.again else self.comes).set()
        return None

    def on_event(self, event: Event) -> bool:
        if isinstance(event, Gap) and event.end_s is not None:
            self.again, self.pictures = True, 0
        return False


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
def test_a_camera_that_comes_back_goes_on_in_the_same_file(
    ending: str, rtsp_server: MakeServer, tmp_path: Path
) -> None:
    server = rtsp_server(sound="aac")
    watch = Watch()
    made: list[Recording] = []
    with rw.Session() as session:
        camera = session.load_src(server.url)
        camera >> session.add(watch)
        recorder = Recorder(session, camera, str(tmp_path / f"clip.{ending}"), before_s=1.0, after_s=2.0)

        def direct() -> None:
            try:
                assert watch.comes.wait(20.0)
                made.append(recorder.record("before", after_s=15.0))
                made[0].wait_begun(20.0)
                server.kill()
                server.start()
                assert watch.back.wait(20.0)
                recorder.record("after")
                recorder.stop()
                made[0].finished(20.0)
            finally:
                session.stop()

        director = threading.Thread(target=direct)
        director.start()
        session.run()
        director.join()
    info = made[0].wait(20.0)
    assert [trigger.metadata for trigger in info.triggers] == ["before", "after"]
    video, numbers, audio = streams_of(info.path)
    assert all(one < other for one, other in pairwise(video))
    assert all(one < other for one, other in pairwise(audio))
    assert len(numbers) > 40
    gaps = [max(pairwise(times), key=lambda pair: pair[1] - pair[0]) for times in (video, audio)]
    (lost, back), (silent, heard) = gaps
    assert back - lost > 0.2, "the server was away"
    assert abs(lost - silent) < 0.2
    assert abs(back - heard) < 0.2
    assert abs(video[-1] - audio[-1]) < 0.3
    assert info.start is not None
    assert info.end is not None
    lasted_s = (info.triggers[-1].time - info.triggers[0].time).total_seconds()
    assert video[-1] - video[0] == pytest.approx(lasted_s, abs=1.3)  # a group of pictures begins it


def streams_of(path: str) -> tuple[list[float], list[int], list[float]]:
    """Times of the pictures, their counters, times of the sound."""
    with av.open(path) as container:
        pictures = [(float(frame.time), frame) for frame in container.decode(video=0)]
    with av.open(path) as container:
        sound = [float(frame.time) for frame in container.decode(audio=0)]
    return (
        [time for time, _ in pictures],
        [read_counter(frame.to_ndarray(format="gray")) for _, frame in pictures],
        sound,
    )
