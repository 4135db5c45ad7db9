"""A join of a dense and a sparse stream never hangs, whatever else the session has to do."""

from __future__ import annotations

import threading

import pytest

import reelway as rw

COUNT = 1000


class DenseThenSparse(rw.Filter):
    """1000 packets of one stream, then one of the other."""

    outputs = (rw.Caps(),)

    def open(self) -> None:
        self.dense = self.new_pid("dense", StreamType="Visual", CodecID="x", Timescale=1000)
        self.sparse = self.new_pid("sparse", StreamType="Audio", CodecID="x", Timescale=1000)
        self.sent = 0

    def process(self) -> None:
        while self.sent < COUNT and not self.blocked:
            self.dense.send(rw.Packet(b"x", dts=self.sent))
            self.sent += 1
        if self.sent == COUNT and not self.blocked:
            self.sparse.send(rw.Packet(b"y", dts=0))
            self.dense.end()
            self.sparse.end()


class Join(rw.Filter):
    inputs = (rw.Caps(),)
    got = 0

    def process(self) -> None:
        for _ in rw.merge(self.ipids):
            self.got += 1


class Camera(rw.Filter):
    """A live source that sends nothing."""

    outputs = (rw.Caps(),)

    def open(self) -> None:
        self.new_pid("picture", StreamType="Visual", CodecID="x", Timescale=1000)

    def process(self) -> None:
        pass


@pytest.mark.parametrize("company", ["nothing", "a task", "one that watches", "a live source"])
def test_the_full_link_grows(company: str) -> None:
    with rw.Session(unlinked="ignore") as session:
        source, join = session.add(DenseThenSparse()), Join()
        session.add(join).set_source(source)
        match company:
            case "a task":
                session.post(lambda: -1.0 if session.last_task else 0.01)
            case "one that watches":
                session.watch(lambda: 0.01)
            case "a live source":
                session.add(Camera())
                session.post(lambda: session.stop() if join.got > COUNT else 0.01)
        stuck = threading.Timer(30, session.stop)
        stuck.start()
        session.run()
        stuck.cancel()
        assert join.got == COUNT + 1
        assert session.statistics().grown > 0
