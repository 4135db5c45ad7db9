"""`session.graph()`: what it holds, and what its drawings say."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import pytest

import reelway as rw
from reelway.session.graph import Graph


def drawn(film: str) -> Graph:
    session = rw.Session(unlinked="ignore")
    source, tee = session.load_src(film), session.load("tee")
    source.video >> tee
    tee >> session.load_dst("null")
    tee >> session.load_dst('null:N=say "no" & <go>')
    with session:
        session.run()
        return session.graph()


def test_it_tells_filters_streams_and_figures(film: str) -> None:
    graph = drawn(film)
    assert [(each.name, each.kind, each.state) for each in graph.filters] == [
        ("demux", "demux", "closed"),
        ("tee", "tee", "closed"),
        ("null", "null", "closed"),
        ('say "no" & <go>', "null", "closed"),
    ]
    assert [(pid.source, pid.name, pid.codec, pid.packets) for pid in graph.pids] == [
        (0, "video1", "h264", 50),
        (0, "audio1", "aac", 95),
        (1, "video1", "h264", 50),
    ]
    assert [(link.source, link.consumer, link.packets_out) for link in graph.links] == [
        (0, 1, 50), (1, 2, 50), (1, 3, 50),
    ]  # fmt: skip


def test_it_does_not_change(film: str) -> None:
    graph = drawn(film)
    with pytest.raises(dataclasses.FrozenInstanceError):
        graph.filters[0].name = "other"  # type: ignore[misc]


def test_as_a_tree(film: str) -> None:
    assert str(drawn(film)) == (
        "demux, closed\n"
        "├─ video1: h264, 320x240, 25 fps; 50 packets\n"
        "│  └─ tee, closed\n"
        "│     └─ video1: h264, 320x240, 25 fps; 50 packets\n"
        "│        ├─ null, closed\n"
        '│        └─ say "no" & <go> [null], closed\n'
        "└─ audio1: aac, 48000 Hz, stereo; 95 packets\n"
        "   └─ goes nowhere"
    )


def test_for_mermaid(film: str) -> None:
    assert drawn(film).to_mermaid() == (
        "flowchart LR\n"
        '  f0("demux<br/>closed")\n'
        '  f1("tee<br/>closed")\n'
        '  f2("null<br/>closed")\n'
        '  f3("say #quot;no#quot; #amp; #lt;go#gt; [null]<br/>closed")\n'
        '  f0 -->|"video1: h264, 320x240, 25 fps<br/>50 packets"| f1\n'
        '  f0 -.->|"audio1: aac, 48000 Hz, stereo"| n1(( ))\n'
        '  f1 -->|"video1: h264, 320x240, 25 fps<br/>50 packets"| f2\n'
        '  f1 -->|"video1: h264, 320x240, 25 fps<br/>50 packets"| f3\n'
    )


def test_for_programs(film: str) -> None:
    graph = drawn(film)
    read = json.loads(graph.to_json())
    assert set(read) == {"filters", "pids", "links"}
    assert read["links"][0]["packets_in"] == 50
    assert read["filters"] == [dataclasses.asdict(each) for each in graph.filters]


@pytest.mark.debian("graphviz")
def test_graphviz_draws_it(film: str) -> None:
    dot = shutil.which("dot")
    assert dot is not None
    done = subprocess.run(
        [dot, "-Tsvg"], input=drawn(film).to_dot().encode(), capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    picture = done.stdout.decode()
    assert "video1: h264, 320x240, 25 fps" in picture
    assert picture.count('class="edge"') == 4


def test_written_in_the_form_that_the_name_says(film: str) -> None:
    graph = drawn(film)
    graph.write("graph.dot")
    graph.write(Path("graph.MMD"))
    assert Path("graph.dot").read_text() == graph.to_dot()
    assert Path("graph.MMD").read_text() == graph.to_mermaid()
    with pytest.raises(rw.OptionError, match="does not say how to draw"):
        graph.write("graph.jpeg")
    with pytest.raises(rw.OpenError, match="No such file"):
        graph.write("none/graph.dot")


def test_before_anything_runs(film: str) -> None:
    with rw.Session() as session:
        session.load_src(film)
        session.load_dst("null")
        assert str(session.graph()).startswith("demux, running")
        session.link()
        assert [pid.summary for pid in session.graph().pids] == [
            "h264, 320x240, 25 fps",
            "aac, 48000 Hz, stereo",
        ]


class Heavy(rw.Filter):
    """Works on a thread of its own."""

    inputs = (rw.Caps(),)
    thread = "own"

    def process(self) -> None:
        for pid in self.ipids:
            for _ in pid:
                pass


def test_a_trace_tells_threads_apart(film: str) -> None:
    with rw.Session(trace="trace.json") as session:
        session.load_src(film)
        session.add(Heavy())
        session.run()
    events = json.loads(Path("trace.json").read_text())
    threads = {event["tid"]: event["args"]["name"] for event in events if event.get("ph") == "M"}
    where = {event["name"]: threads[event["tid"]] for event in events if event.get("cat") == "process"}
    assert where == {"demux": "MainThread", "Heavy": "reelway-Heavy"}
    taken = sum(
        event["args"]["packets_in"]
        for event in events
        if event.get("name") == "Heavy" and "packets_in" in event["args"]
    )
    assert taken == 145


def test_a_trace_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(rw.OpenError, match="none/trace.json: No such file"):
        rw.Session(trace="none/trace.json")
