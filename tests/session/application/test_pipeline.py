"""Pipelines put together by a program: elements, names, links, pads, bins, and all that while it plays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reelway as rw
from reelway.session.application.build import build
from reelway.session.application.element import Element, make_element
from reelway.session.application.pipeline import Pipeline
from tests.conftest import count
from tests.media import probe

LIVE = "videotestsrc name=src is-live=true ! video/x-raw,width=160,height=120,framerate=100/1"


@pytest.fixture
def launched() -> Iterator[Callable[..., rw.Application]]:
    """`rw.launch`, and everything that it made is stopped at the end."""
    made: list[rw.Application] = []

    def launch(text: str, **options: object) -> rw.Application:
        made.append(rw.launch(text, **options))  # type: ignore[arg-type]
        return made[-1]

    yield launch
    for application in made:
        application.stop()


def state_of(pipeline: Pipeline) -> tuple[list[str], list[str], list[list[str]]]:
    """What may not change where something is refused."""
    return (
        [each.name for each in pipeline],
        [repr(edge) for edge in pipeline.edges],
        [[pad.name for pad in each.pads] for each in pipeline],
    )


def passing(element: Element, pad: str = "sink", number: int = 3) -> threading.Event:
    """Is set as soon as so many more packets have passed there."""
    enough, seen = threading.Event(), [0]

    def look(_pad: object, _packet: object) -> None:
        seen[0] += 1
        if seen[0] == number:
            enough.set()

    element.pad(pad).add_probe("packet", look)
    return enough


# Standing still


def test_elements_by_name_and_by_what_they_are() -> None:
    pipeline = Pipeline()
    source, queue, other, sink = (
        make_element(kind) for kind in ("videotestsrc", "queue", "queue", "fakesink")
    )
    pipeline.add(source, queue, other, sink)
    pipeline.chain(source, queue, other, sink)
    assert [each.name for each in pipeline] == ["videotestsrc0", "queue0", "queue1", "fakesink0"]
    assert (pipeline.sources, pipeline.sinks) == ([source], [sink])
    assert pipeline.consumers(queue) == [other]
    assert pipeline.producers(queue) == [source]
    assert source.pad("src").peer is queue.pad("sink")
    with pytest.raises(rw.UnknownNameError) as unknown:
        pipeline["queu0"]
    assert "'queue0'" in str(unknown.value.hint)
    assert queue in pipeline
    assert make_element("queue") not in pipeline


def test_a_name_is_there_once_and_an_element_in_one_pipeline() -> None:
    pipeline = Pipeline()
    first = make_element("queue", "q")
    pipeline.add(first)
    with pytest.raises(rw.StateError, match="called q already"):
        pipeline.add(make_element("tee", "q"))
    with pytest.raises(rw.StateError, match="is in a pipeline already"):
        Pipeline().add(first)
    pipeline.remove(first)
    Pipeline().add(first)
    pipeline.add(make_element("tee", "q"))


def test_links_that_cannot_be_are_refused_and_change_nothing() -> None:
    pipeline = build(
        "videotestsrc name=a ! fakesink name=b videotestsrc name=c ! tee name=t fakesink name=free"
    )
    stranger = make_element("fakesink", "stranger")
    before = state_of(pipeline)
    for source, sink, reason in [
        (pipeline["a"], pipeline["free"], "the only output of a is linked already"),
        (pipeline["b"], pipeline["c"], "b has no output"),
        (pipeline["t"], pipeline["b"], "the only input of b is linked already"),
        (pipeline["t"], stranger, "not in this pipeline"),
        (pipeline["t"].pad("sink"), pipeline["free"], "is an input"),
    ]:
        with pytest.raises((rw.LinkError, rw.StateError), match=reason):
            pipeline.link(source, sink)
        assert state_of(pipeline) == before


def test_request_pads_get_numbers_and_are_given_back() -> None:
    pipeline = build("videotestsrc ! tee name=t")
    tee = pipeline["t"]
    sinks = [make_element("fakesink") for _ in range(3)]
    pipeline.add(*sinks)
    edges = [pipeline.link(tee, each) for each in sinks]
    assert [edge.source.name for edge in edges] == ["src_0", "src_1", "src_2"]
    pad = edges[1].source
    tee.release(pad)
    assert (pad.edge, sinks[1].pad("sink").peer) == (None, None)
    assert pipeline.consumers(tee) == [sinks[0], sinks[2]]
    assert tee.free_pad("src").name == "src_1"
    assert tee.pad("src_7").name == "src_7"
    with pytest.raises(rw.LinkError, match="t has no pad 'video_0'"):
        tee.pad("video_0")


def test_bins_are_known_by_name() -> None:
    pipeline = build("videotestsrc ! ( name=inner queue name=q ! identity ) ! ( tee name=t ) ! fakesink")
    assert {name: [each.name for each in inside] for name, inside in pipeline.bins.items()} == {
        "inner": ["q", "identity0"],
        "bin1": ["t"],
    }
    assert [each.name for each in pipeline.consumers(pipeline["q"])] == ["identity0"]


def test_unlinked_and_linked_anew() -> None:
    pipeline = build("videotestsrc name=a num-buffers=4 ! queue name=q ! fakesink name=b")
    pipeline.unlink(pipeline.edges[0])
    pipeline.remove(pipeline["q"])
    pipeline.link(pipeline["a"], pipeline["b"])
    application = rw.Application(pipeline)
    application.play()
    assert application.wait(20)
    assert application.bus.pop("eos") is not None
    application.stop()


# While it plays


def test_elements_added_to_a_pipeline_that_plays_take_part(launched: Callable[..., rw.Application]) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! fakesink")
    for number in range(count(10) + 1):
        queue, sink = make_element("queue"), make_element("fakesink", f"late{number}")
        app.pipeline.add(queue, sink)
        app.pipeline.link(queue, sink)
        app.pipeline.link(app["t"], queue)
        assert passing(sink).wait(20)
    assert app.error is None


def test_an_element_is_taken_out_and_the_rest_plays_on(launched: Callable[..., rw.Application]) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! queue name=q ! fakesink name=a t. ! fakesink name=b")
    pad = app["q"].pad("sink").peer
    assert app.pipeline.remove(app["q"], app["a"])(20)
    assert pad is not None
    app["t"].release(pad)
    assert [each.name for each in app.pipeline] == ["src", "capsfilter0", "t", "b"]
    assert [pad.name for pad in app["t"].pads] == ["sink", "src_1"]
    assert passing(app["b"], number=20).wait(20)
    assert app.error is None


def test_branches_of_a_tee_change_places(launched: Callable[..., rw.Application]) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! queue ! fakesink name=a t. ! queue ! fakesink name=b")
    for _ in range(count(20) + 1):
        edge = next(each for each in app.pipeline.edges if each.source.element is app["t"])
        queue, pad = edge.sink.element, edge.source
        sink = app.pipeline.consumers(queue)[0]
        assert app.pipeline.remove(queue, sink)(20)
        app["t"].release(pad)
        fresh = make_element("queue"), make_element("fakesink", sink.name)
        app.pipeline.add(*fresh)
        app.pipeline.chain(app["t"], *fresh)
        assert passing(app[sink.name]).wait(20)
    assert sorted(each.name for each in app.pipeline.sinks) == ["a", "b"]
    assert app.error is None


BAD = {
    "no such element": ("queue ! fakesnk", rw.PipelineError),
    "no input": ("videotestsrc ! fakesink", rw.LinkError),
    "muxer without a sink": ("queue ! x264enc ! mp4mux", rw.LinkError),
    "sound": ("audio/x-raw ! fakesink", rw.LinkError),
    "no location": ("queue ! x264enc ! mp4mux ! filesink", rw.OptionError),
    "no folder": ("queue ! x264enc ! mp4mux ! filesink location=/nowhere/at/all.mp4", rw.OpenError),
    "a folder": ("queue ! x264enc ! mp4mux ! filesink location=/", rw.OpenError),
    "no folder for many": ("queue ! jpegenc ! multifilesink location=/nowhere/%d.jpg", rw.OpenError),
}


@pytest.mark.parametrize("name", BAD)
def test_a_branch_that_cannot_be_changes_nothing(name: str, launched: Callable[..., rw.Application]) -> None:
    text, error = BAD[name]
    app = launched(f"{LIVE} ! tee name=t t. ! fakesink name=out")
    before, filters = state_of(app.pipeline), len(app.session.filters)  # type: ignore[union-attr]
    with pytest.raises(error):
        app.pipeline.branch(text, app["t"])
    assert state_of(app.pipeline) == before
    assert passing(app["out"], number=20).wait(20)
    assert len(app.session.filters) == filters  # type: ignore[union-attr]
    assert app.error is None
    app.pipeline.branch("queue ! fakesink name=good", app["t"])
    assert passing(app["good"]).wait(20)


def test_a_branch_gets_names_that_are_free(launched: Callable[..., rw.Application], tmp_path: Path) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! queue name=q ! fakesink name=out")
    out = tmp_path / "a.mkv"
    branch = app.pipeline.branch(f"queue name=q ! x264enc ! matroskamux ! filesink location={out}", app["t"])
    assert branch["queue"].name != "q"
    assert branch["queue"] in app.pipeline
    assert passing(branch["x264enc"], number=5).wait(20)
    branch.remove()
    assert len(probe.packets(out)[0].packets) >= 5
    assert [each.name for each in app.pipeline] == ["src", "capsfilter0", "t", "q", "out"]
    branch.remove()  # once more changes nothing
    assert [each.name for each in app.pipeline] == ["src", "capsfilter0", "t", "q", "out"]
    with pytest.raises(rw.UnknownNameError, match="no element of this branch is named 'tee'"):
        branch["tee"]


def test_a_branch_whose_file_cannot_be_written_ends_it_with_the_name_of_who_failed(
    launched: Callable[..., rw.Application],
) -> None:
    app = launched(f"{LIVE} ! tee name=t t. ! fakesink name=out")
    app.pipeline.branch("queue ! x264enc ! mp4mux name=m ! filesink location=/dev/full", app["t"])
    with pytest.raises(rw.OpenError, match="/dev/full"):
        app.wait(20)
    message = app.bus.pop("error")
    assert message is not None
    assert message.name == "m"


@pytest.mark.parametrize("source", ["videotestsrc", "audiotestsrc", "fakesrc"])
def test_a_source_of_no_buffers_ends_at_once(source: str) -> None:
    app = rw.launch(f"{source} num-buffers=0 ! fakesink", background=False)
    sink = app["fakesink0"].filter
    assert sink is not None
    assert app.over.is_set()
    assert sum(link.packets_in for link in sink.ipids) == 0
    app.stop()
