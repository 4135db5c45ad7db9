"""pythiags' names: applications of texts, and metadata on the side."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
from reelway.compat import pythiags
from reelway.compat.gst import gstreamer as Gst
from reelway.compat.pythiags.consumer import Consumer
from reelway.compat.pythiags.headless import Standalone
from reelway.compat.pythiags.producer import Producer
from reelway.graph.states import State

SCRIPTS = Path(__file__).parent / "scripts"
COMMAND = [sys.executable, "-c", "import sys; from reelway.cli import main; sys.exit(main())", "script"]
SMALL = "video/x-raw,width=16,height=8,framerate=10/1"
TEXT = f"videotestsrc num-buffers={{count:20}} ! {SMALL} ! identity name=look ! fakesink"
LIVE = "videotestsrc is-live=true ! video/x-raw,width=16,height=8,framerate=50/1 ! fakesink name=end"


class Sizes(Producer):
    """Where each buffer lies in time, and its size."""

    def extract_metadata(self, pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        assert pad.get_parent_element().get_name() == "look"
        return [(buffer.pts // Gst.MSECOND, buffer.get_size())]


class Keep(Consumer):
    """Keeps what comes, and who brought it."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.threads: set[str] = set()

    def incoming(self, events: Any) -> None:
        self.events += events
        self.threads.add(threading.current_thread().name)


def test_a_text_runs_in_the_background_until_it_is_stopped() -> None:
    app = Standalone.build_and_run(LIVE, background=True)
    assert app.application.state == State.PLAYING
    assert isinstance(app.pipeline, Gst.Pipeline)
    assert app.pipeline.get_by_name("end").get_factory().get_name() == "fakesink"
    assert not app.wait(0.05)
    app.stop()
    assert app.application.state == State.NULL


def test_a_text_runs_to_its_end() -> None:
    app = Standalone.build_and_run(TEXT, background=False, count=3)
    assert app.application.state == State.NULL
    assert Standalone.cli_run(TEXT, count=2).application.over.is_set()


def test_metadata_go_from_producer_to_consumer_in_the_background() -> None:
    keep = Keep()
    app = Standalone.build_and_run(TEXT, {"look": (Sizes(), keep)})
    assert keep.events == [(number * 100, 16 * 8 * 3 // 2) for number in range(20)]
    assert keep.threads == {"reelway-metadata"}
    assert (app.extractions["look"].extracted, app.extractions["look"].dropped) == (20, 0)


def test_producers_and_consumers_are_named_as_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code_of_mine.py").write_text(
        "from reelway.compat.pythiags import Producer\nseen = []\n"
        "class Count(Producer):\n"
        "    def extract_metadata(self, pad, info): return info.get_buffer().get_size()\n"
        "def keep(size): seen.append(size)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Standalone.build_and_run(TEXT, obs="look", ext="code_of_mine:Count", proc="code_of_mine:keep")
    assert sys.modules.pop("code_of_mine").seen == [192] * 20


def test_a_producer_does_under_reelway_launch_what_it_does_here(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import gi\ngi.require_version('Gst', '1.0')\nfrom gi.repository import Gst\n"
        "from pythiags import Producer, Consumer\n"
        "class Find(Producer):\n"
        "    def extract_metadata(self, pad, info): return info.get_buffer().pts // Gst.MSECOND\n"
        "class Tell(Consumer):\n    def incoming(self, pts): print('pts', pts, flush=True)\n"
    )
    command = [
        sys.executable,
        "-m",
        "reelway",
        "launch",
        "-q",
        "--obs=look",
        "--ext=mine:Find",
        "--proc=mine:Tell",
    ]
    done = subprocess.run(
        [*command, TEXT.replace("{count:20}", "2")], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["pts 0", "pts 100"]


def test_mistakes_are_named() -> None:
    with pytest.raises(rw.UnknownNameError, match="no element of this pipeline is named 'lok'") as caught:
        Standalone.build_and_run(TEXT, {"lok": (Sizes(), None)})
    assert "'look'" in str(caught.value.hint)
    with pytest.raises(rw.OptionError, match="obs and ext belong together"):
        Standalone.build_and_run(TEXT, obs="look")
    with pytest.raises(rw.ReelwayError, match="pattern"):
        Standalone.build_and_run("videotestsrc pattern={pattern} ! fakesink")
    with pytest.raises(AttributeError, match="no attribute 'Standalne'.*did you mean 'Standalone'"):
        pythiags.Standalne  # noqa: B018


def test_what_a_source_cannot_open_is_raised() -> None:
    with pytest.raises(rw.OpenError):
        Standalone.build_and_run("filesrc location=/none/of/it.mp4 ! decodebin ! fakesink", background=True)


# The document's scripts


def run(script: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [*COMMAND, str(SCRIPTS / script)], env=environment, capture_output=True, text=True, timeout=60
    )


def test_the_documents_application_runs() -> None:
    done = run("pythiags_02_api.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
