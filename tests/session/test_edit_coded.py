"""Edits in front of muxers that the resolver feeds through encoders: every file is whole all the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy
import pytest

import reelway as rw
from reelway.testing.burnin import read_counter
from reelway.testing.parts import Collect
from tests.media import probe
from tests.session.test_edit import run, when


def mirrored(number: int) -> int:
    """What the counter of the films is in a picture that is flipped from left to right: 16 bits."""
    return int(f"{number:016b}"[::-1], 2)


def film_counters(path: str) -> list[int]:
    """Of all pictures, whichever way round they are."""
    return [min(number, mirrored(number)) for number in probe.counters(path)]


def burnt(path: str) -> list[int | None]:
    """The numbers that `testvideo` burned in, however the pictures were turned over since."""
    found: list[int | None] = []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            luma = frame.to_ndarray(format="gray")
            turns = (luma, luma[::-1], luma[:, ::-1], luma[::-1, ::-1])
            read = (read_counter(numpy.ascontiguousarray(each)) for each in turns)
            found.append(next((each[0] for each in read if each is not None), None))
    return found


def check_times(path: str) -> None:
    """Decode times rise, and nothing is shown before it is decoded."""
    for stream in probe.packets(path):
        times = [each.dts for each in stream.packets if each.dts is not None]
        assert all(a < b for a, b in pairwise(times)), path
        assert all(each.pts >= each.dts for each in stream.packets if None not in (each.pts, each.dts))


def taken(filter: rw.Filter, packets: int) -> Callable[[], bool]:
    return lambda: bool(filter.ipids) and filter.ipids[0].packets_out > packets


def drawn(session: rw.Session, sink: rw.Filter) -> list[str]:
    """The names on the way to the first input of `sink`, from its source on, as `graph()` says."""
    graph = session.graph()
    at = next(each.number for each in graph.filters if each.name == sink.name)
    names: list[str] = []
    while links := [each for each in graph.links if each.consumer == at]:
        assert len({(each.source, each.pid) for each in links}) == len(links)
        at = links[0].source
        names.insert(0, graph.filters[at].name)
    return names


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("how", ["insert", "insert before", "replace"])
def test_an_edit_in_front_of_an_encoder_feeds_that_encoder(how: str, threads: int, film: str) -> None:
    seen: list[list[str]] = []
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        source, flip, sink = session.load_src(film), session.load("flip"), session.load_dst("out.mp4")
        source.video >> flip >> sink

        def edit() -> None:
            text = session.load("text:content=hi:position=middle-left")
            match how:
                case "insert":
                    session.insert(text, after=flip)
                case "insert before":
                    session.insert(text, before=sink)
                case _:
                    session.replace(flip, text)

        session.post(when(taken(flip, 15), edit))
        session.post(when(lambda: "text" in drawn(session, sink), lambda: seen.append(drawn(session, sink))))
        session.run()
        assert session.completed
        assert [each.name for each in session.filters].count("encode") == 1
        assert "encode2" not in [each.name for each in session.filters]
    middle = ["text"] if how == "replace" else ["flip", "text"]
    assert seen == [["demux", "decode", *middle, "encode"]]
    assert film_counters("out.mp4") == list(range(50))
    check_times("out.mp4")


@pytest.mark.parametrize("threads", [0, 2])
def test_an_insertion_in_a_chain_that_sound_goes_around(threads: int, film: str) -> None:
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        source, flip, sink = session.load_src(film), session.load("flip"), session.load_dst("out.mp4")
        session.chain(source, flip, sink)
        run(
            session,
            when(taken(flip, 15), lambda: session.insert(session.load("convert:width=160"), before=sink)),
        )
    assert film_counters("out.mp4") == list(range(50))
    video, sound = sorted(probe.packets("out.mp4"), key=lambda each: each.kind, reverse=True)
    assert video.kind == "video"
    assert [each.digest for each in sound.packets] == [each.digest for each in probe.packets(film)[1].packets]
    check_times("out.mp4")


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", ["out.mp4", "out.ts"])
def test_a_muxer_fed_by_an_encoder_goes_on_with_another_raw_source(
    name: str, late: bool, threads: int, film: str
) -> None:
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        flip, sink = session.load("flip"), session.load_dst(name)
        session.load_src(film).video >> flip >> sink

        def begin() -> rw.Filter:
            session.load_src(film).video >> (flip := session.load("flip"))
            return flip

        def relink() -> None:
            asked.append(session.relink(sink, other or begin()))

        asked: list[None] = []
        other = None if late else begin()
        if other is not None:
            other >> session.load_dst("null")
            most, turn = taken(other, 30), other.process
            other.process = lambda: 0.001 if most() and not asked else turn()  # type: ignore[method-assign]
        ready = taken(flip, 8)
        run(session, when(ready, relink))
        makers = [each.name for each in session.filters if each.name.startswith("encode")]
        assert makers == ["encode"]
    check_times(name)
    numbers = film_counters(name)
    cut = next((at for at, number in enumerate(numbers) if number != at), 0)  # 0: there was no gap
    assert cut > 3 or not late
    assert numbers[cut:] == list(range(numbers[cut], 50))
    assert not late or numbers[cut] == 0


def test_what_a_muxer_cannot_go_on_with_is_told_by_the_edit(film: str) -> None:
    with rw.Session(threads=0, limits=rw.Limits(packets=4)) as session:
        source, flip = session.load_src(film), session.load("flip")
        copied, coded = session.load_dst("copied.mp4"), session.load_dst("coded.mp4")
        source.video >> copied
        source.video >> flip >> coded

        def edit() -> None:
            before = str([(each.source, each.consumer) for each in session.graph().links])
            text = session.load("text:content=hi")
            with pytest.raises(rw.LinkError, match="cannot go on with"):
                session.insert(text, before=copied)
            with pytest.raises(rw.LinkError, match="wanted raw|does not fit"):
                session.insert(session.load("volume"), after=flip)
            with pytest.raises(rw.LinkError):
                session.replace(flip, session.load("volume"))
            assert str([(each.source, each.consumer) for each in session.graph().links]) == before
            for each in [each for each in session.filters if not each.ipids and each.inputs]:
                session.remove(each)

        run(session, when(taken(copied, 15), edit))
    assert probe.counters("copied.mp4") == film_counters("coded.mp4") == list(range(50))


@pytest.mark.parametrize("threads", [0, 2])
def test_a_muxer_waits_for_video_that_is_decoded_late(threads: int, film: str) -> None:
    for _ in range(3):
        with rw.Session(threads=threads) as session:
            encoder, decoder = session.load("ffenc:c=h264"), session.load("ffdec")
            session.chain(session.load_src(film), encoder, decoder, session.load_dst("late.mp4"))
            session.run()
        assert sorted(each.kind for each in probe.packets("late.mp4")) == ["audio", "video"]
        assert probe.counters("late.mp4") == list(range(50))


@rw.video_filter
def brighter(image: Any) -> Any:
    return numpy.maximum(image, 8)


@rw.video_filter(pixel_format="rgb24")
def darker(image: Any) -> Any:
    return numpy.minimum(image, 250)


@pytest.mark.parametrize("threads", [0, 2])
def test_what_is_inserted_keeps_the_format_that_a_filter_further_on_needs(threads: int, film: str) -> None:
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        first, last = session.add(brighter()), session.add(darker())
        flip, sink = session.load("flip"), session.load_dst("out.mp4")
        session.load_src(film).video >> first >> flip >> last >> sink

        def edit() -> None:
            session.replace(first, session.load("text:content=hi:position=middle-left"))

        run(session, when(taken(last, 10), edit))
    assert film_counters("out.mp4") == list(range(50))


@pytest.mark.parametrize("threads", [0, 2])
def test_an_edit_behind_another_that_has_not_begun(threads: int, film: str) -> None:
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        source, flip, sink = session.load_src(film), session.load("flip"), session.load_dst("out.mp4")
        source.video >> flip >> sink

        def edit() -> None:
            session.insert(brighter(), after=flip)  # through a converter
            session.replace(flip, session.load("text:content=hi:position=middle-left"))

        run(session, when(taken(flip, 15), edit))
    assert film_counters("out.mp4") == list(range(50))


NEW = ("flip", "flip:mode=vertical", "text:content=hi:position=middle-left", "convert:width=256", "function")


class Director:
    """Edits two branches at random, each a chain of filters of pictures and a file."""

    def __init__(self, session: rw.Session, source: rw.Filter, seed: int, edits: int) -> None:
        self.session, self.source, self.left = session, source, edits
        self.random = random.Random(seed)
        self.chains: list[tuple[rw.Filter, list[rw.Filter], rw.Filter]] = []
        self.side: tuple[rw.Filter, str] | None = None
        self.recorded: list[str] = []
        self.done: dict[str, int] = {}
        self.drawn = 0

    def load(self) -> rw.Filter:
        what = self.random.choice(NEW)
        return self.session.add(brighter()) if what == "function" else self.session.load(what)

    def task(self) -> float | None:
        self.look()
        if not self.left or not self.source.opids or self.source.opids[0].ended:
            return None if self.source.opids else 0.0
        if self.random.random() < 0.7 or (self.left < 10 and self.drawn < 4):  # not before it was settled
            return 0.0
        kind = self.random.choice(["insert", "replace", "remove"])
        if self.edit(kind):
            self.left -= 1
            self.done[kind] = self.done.get(kind, 0) + 1
        return 0.0

    def look(self) -> None:
        """What the graph says, as soon as an edit is done."""
        linker = self.session._linker
        links = [link for filter in self.session.filters for link in filter.ipids]
        nodes = self.session._scheduler.nodes
        leaving = any(node.leaving or node.later or node.joining for node in nodes)
        if linker.takeovers or leaving or any(link.coming for link in links):
            return
        if self.source.opids and self.source.opids[0].ended:
            return
        for source, chain, sink in self.chains:
            if not sink.ipids or not all(each.opids and each.ipids for each in chain):
                continue
            way = drawn(self.session, sink)
            names = [source.name, *(each.name for each in chain)]
            assert [each for each in way if each in names] == names
            assert all(each in names or each.startswith(("encode", "convert")) for each in way), way
            self.drawn += 1

    def edit(self, kind: str) -> bool:
        session = self.session
        if kind == "remove":
            if self.side is None:
                name = f"side{len(self.recorded)}.{self.random.choice(['mp4', 'ts'])}"
                head = session.load("flip")
                self.source >> head >> session.load_dst(name)
                self.side = head, name
                return False
            head, name = self.side
            if not head.ipids or head.ipids[0].packets_out < 5:
                return False
            self.side = None
            session.remove(head)
            self.recorded.append(name)
            return True
        _, chain, sink = self.random.choice(self.chains)
        if not all(each.ipids and each.ipids[0].packets_out for each in chain):
            return False
        at = self.random.randrange(len(chain))
        new = self.load()
        try:
            if kind == "replace":
                session.replace(chain[at], new)
                chain[at] = new
            elif len(chain) > 5:
                session.remove(new)
                return False
            elif self.random.random() < 0.5:
                session.insert(new, after=chain[at])
                chain.insert(at + 1, new)
            else:
                session.insert(new, before=sink)
                chain.append(new)
        except rw.StateError:  # an edit before this one is not done
            session.remove(new)
            return False
        return True


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("seed", range(2))
def test_twenty_random_edits_of_a_transcoding_session(
    seed: int, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = 400
    with rw.Session(threads=threads, limits=rw.Limits(packets=4)) as session:
        source = session.load(f"testvideo:size=512x320:frames={frames}")
        source >> (untouched := session.add(Collect(name="untouched")))
        director = Director(session, source, seed, 20)
        for name, encoder in (("out.mp4", "libx264:preset=ultrafast"), ("out.ts", "")):
            head, sink = session.load("flip"), session.load_dst(name, video=encoder)
            source >> head >> sink
            director.chains.append((source, [head], sink))
        run(session, director.task)
    assert len(untouched.only.packets) == frames
    assert [each.dts for each in untouched.only.packets] == list(range(frames))
    for name in ("out.mp4", "out.ts"):
        assert burnt(name) == list(range(frames)), (name, director.done)
        check_times(name)
    assert sum(director.done.values()) == 20, director.done
    assert len(director.done) == 3, director.done
    assert director.drawn > 3
    for name in director.recorded:
        if Path(name).exists():
            numbers = burnt(name)
            assert numbers == list(range(numbers[0] or 0, (numbers[0] or 0) + len(numbers)))
            check_times(name)
