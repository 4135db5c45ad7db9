"""Sessions, tasks and filters seen from outside."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import reelway as rw
import reelway.compat.libgpac as gpac
from reelway.compat.libgpac.later import ComesLaterError
from tests.media import make, probe


@pytest.fixture(autouse=True)
def _arguments() -> Iterator[None]:
    yield
    gpac.init()


class Remembering(gpac.FilterSession):
    def __init__(self, *args: Any, **named: Any) -> None:
        self.heard: list[str] = []
        gpac.FilterSession.__init__(self, *args, **named)

    def on_filter_new(self, filter: gpac.Filter) -> None:
        self.heard.append(f"new {filter.name}")

    def on_filter_del(self, filter: gpac.Filter) -> None:
        self.heard.append(f"del {filter.name}")


def remux(
    fs: gpac.FilterSession, folder: Path, source: str = "film.mp4"
) -> tuple[gpac.Filter, gpac.Filter, Path]:
    dest = folder / "out.mkv"
    return fs.load_src(str(make.media(source))), fs.load_dst(str(dest)), dest


def test_filters_come_and_go_by_the_sessions_methods(tmp_path: Path) -> None:
    fs = Remembering()
    f_src, f_dst, _ = remux(fs, tmp_path)
    assert fs.heard == [f"new {f_src.name}", f"new {f_dst.name}"]
    fs.run()
    assert sorted(fs.heard[2:]) == sorted([f"del {f_src.name}", f"del {f_dst.name}"])
    fs.delete()


def test_one_face_for_each_filter(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    f_src, f_dst, _ = remux(fs, tmp_path)
    assert fs.nb_filters == 2
    assert [fs.get_filter(0), fs.get_filter(1)] == [f_src, f_dst]
    assert str(f_src) == f_src.name
    with pytest.raises(rw.UnknownNameError, match="no filter 2 in the session"):
        fs.get_filter(2)
    fs.delete()
    fs.delete()


def test_non_blocking_ends_with_the_last_task(tmp_path: Path) -> None:
    fs = gpac.FilterSession(gpac.GF_FS_FLAG_NON_BLOCKING, "")
    _, _, dest = remux(fs, tmp_path)
    assert not fs.last_task
    for _ in range(100_000):
        fs.run()
        if fs.last_task:
            break
    else:
        pytest.fail("it never ended")
    fs.run()  # changes nothing
    assert len(probe.packets(dest)) == 2
    fs.delete()


def test_looking_at_a_running_graph(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    f_src, f_dst, _ = remux(fs, tmp_path)
    found: dict[str, Any] = {}

    class Look(gpac.FilterTask):
        def execute(self) -> int:
            if not f_dst.nb_ipid or self.session is None:
                return 1
            found["pids"] = f_src.nb_ipid, f_src.nb_opid, f_dst.nb_ipid, f_dst.nb_opid
            found["sinks"] = f_src.opid_sinks(0)
            found["source"] = f_dst.ipid_source(1)
            found["types"] = (
                [f_src.opid_prop(n, "StreamType") for n in range(2)],
                f_dst.ipid_prop(0, "CodecID"),
            )
            found["info"] = f_src.get_info("Width"), f_src.get_info("nothing")
            f_src.opid_enum_props(0, self)
            found["ipid"] = f_dst.ipid_stats(0), f_src.opid_stats(0)
            with pytest.raises(rw.UnknownNameError, match=r"no output PID 9"):
                f_src.opid_prop(9, "Width")
            return -1

        def on_prop_enum(self, name: str, value: Any) -> None:
            found[name] = value

    fs.post(Look("look"))
    fs.run()
    assert found["pids"] == (0, 2, 2, 0)
    assert found["sinks"] == [f_dst]
    assert found["source"] is f_src
    assert found["types"] == (["Visual", "Audio"], "avc")
    assert found["info"] == (found["Width"], None)
    assert found["StreamType"] == "Visual"
    assert all(isinstance(each, gpac.FilterPidStatistics) for each in found["ipid"])
    fs.delete()


def test_statistics(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    f_src, f_dst, dest = remux(fs, tmp_path)
    fs.run()
    count = sum(len(stream.packets) for stream in probe.packets(dest))
    source, sink = f_src.get_statistics(), f_dst.get_statistics()
    assert (source.nb_pck_sent, sink.nb_pck_processed, sink.nb_errors) == (count, count, 0)
    assert sink.nb_bytes_processed == source.nb_bytes_sent > 0
    assert sink.done
    assert sink.name == f_dst.name.encode()
    assert f_dst.ipid_stats(0).nb_processed + f_dst.ipid_stats(1).nb_processed == count
    fs.delete()


def test_arguments_of_a_filter(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    f_src, _, _ = remux(fs, tmp_path)
    args = {arg.name: arg for arg in f_src.all_args()}
    assert args[b"src"].description
    assert str(args[b"timeout_s"]).startswith("- timeout_s (dbl): ")
    assert args[b"on_error"].min_max_enum == b"stop|skip"
    fs.delete()


def test_updating_an_option(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    f_src, _, _ = remux(fs, tmp_path)
    f_src.update("timeout_s", "3")
    assert f_src._filter.timeout_s == 3.0  # type: ignore[attr-defined]
    with pytest.raises(rw.OptionError, match="timeout"):
        f_src.update("timeout", "3")
    fs.delete()


@pytest.mark.parametrize(("mask", "told"), [(0, "010"), (1, "011"), (2, "110"), (3, "111")])
def test_an_update_spreads_up_and_down(mask: int, told: str, tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    chain = [fs.load_src(str(make.media("film.mp4"))), fs.load("tee"), fs.load_dst(str(tmp_path / "out.mkv"))]
    chain[2].set_source(chain[1])
    fs.run()
    for filter in chain:
        filter._filter.opened = (
            False  # as before the start, when every option may change; the links are there
        )
    chain[1].update("on_error", "skip", mask)
    assert "".join(str(int(filter._filter.on_error == "skip")) for filter in chain) == told
    fs.delete()


def test_sources_with_a_choice_of_streams(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    f_src, f_dst, dest = remux(fs, tmp_path)
    f_dst.set_source(None)
    f_dst.set_source_restricted(None)
    f_dst.set_source_restricted(f_src, "#audio")
    f_src.require_source_id()
    fs.run()
    assert [stream.kind for stream in probe.packets(dest)] == ["audio"]
    assert f_src.name == f_src.ID
    fs.delete()


def test_properties_of_inputs_are_enumerated(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    _, f_dst, _ = remux(fs, tmp_path)
    fs.run()
    heard: dict[str, Any] = {}

    class Listener:
        def on_prop_enum(self, name: str, value: Any) -> None:
            heard[name] = value

    f_dst.ipid_enum_props(0, Listener())
    assert heard["Width"] == f_dst.ipid_prop(0, "Width") > 0
    with pytest.raises(rw.StateError, match="no on_prop_enum"):
        f_dst.ipid_enum_props(0, object())
    fs.delete()


def test_session_arguments_reach_filters_that_have_them(tmp_path: Path) -> None:
    gpac.set_args(["", "--timeout_s=4", "--nobody_has_this=1", "-no-block"])
    fs = gpac.FilterSession()
    f_src, _, _ = remux(fs, tmp_path)
    assert f_src._filter.timeout_s == 4.0  # type: ignore[attr-defined]
    assert not fs._blocking
    fs.run()
    fs.delete()


@pytest.mark.parametrize("through", ["argument", "session"])
def test_blacklists(through: str) -> None:
    if through == "argument":
        gpac.set_args(["", "-blacklist=tee,mp4mx"])
    fs = gpac.FilterSession(0, None if through == "argument" else "tee,mp4mx")
    with pytest.raises(rw.UnknownNameError, match="tee is blacklisted"):
        fs.load("tee")
    with pytest.raises(rw.UnknownNameError, match="mux is blacklisted"):
        fs.load("mux:dst=x.mp4")
    fs.delete()


def test_a_profile_that_is_not_there_is_empty(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said, the options that were set otherwise hold, and the session works."""
    gpac.init(0, "a-profile-that-nobody-has")
    gpac.set_args(["", "--timeout_s=4"])
    with caplog.at_level(logging.INFO, "reelway.compat.libgpac"):
        fs = gpac.FilterSession()
    (said,) = [record.getMessage() for record in caplog.records]
    assert "a-profile-that-nobody-has" in said
    assert said.endswith("; the session begins without it")
    assert fs._session.defaults == {"timeout_s": "4"}
    f_src, _, dest = remux(fs, tmp_path)
    assert f_src._filter.timeout_s == 4.0  # type: ignore[attr-defined]
    fs.run()
    assert probe.counters(dest) == list(range(100))
    fs.delete()


def test_a_profile_is_a_file_of_options(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("timeout_s = 6.0\n")
    gpac.init(0, str(path))
    fs = gpac.FilterSession()
    f_src, _, _ = remux(fs, tmp_path)
    assert f_src._filter.timeout_s == 6.0  # type: ignore[attr-defined]
    fs.delete()


# Names of filters


@pytest.mark.parametrize("name", ["compositor", "dashin", "dasher", "httpout:port=8080"])
def test_filters_that_come_later(name: str) -> None:
    fs = gpac.FilterSession()
    with pytest.raises(
        ComesLaterError, match=f"libgpac's filter {name.partition(':')[0]} comes later: .* come"
    ):
        fs.load(name)
    fs.delete()


def test_a_filter_that_nobody_knows() -> None:
    fs = gpac.FilterSession()
    with pytest.raises(rw.UnknownNameError, match="no filter is named 'refarmer'"):
        fs.load("refarmer:rt=on")
    fs.delete()


def test_libgpacs_names_of_filters(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    source = fs.load(f"fin:src={make.media('film.mp4')}")
    sink = fs.load(f"fout:dst={tmp_path / 'out.ts'}")
    fs.run()
    assert sink.get_statistics().nb_pck_processed == source.get_statistics().nb_pck_sent > 0
    fs.delete()


def test_relative_addresses(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.symlink_to(make.media("film.mp4"))
    fs = gpac.FilterSession()
    assert fs.load_src("film.mp4", str(tmp_path / "list.m3u8"))._filter.url == str(film)  # type: ignore[attr-defined]
    assert fs.is_supported_source("film.mp4", str(tmp_path / "list.m3u8"))
    assert not fs.is_supported_source("film.mp4")
    assert fs.is_supported_source("rtsp://camera/stream")
    assert not fs.is_supported_source("gopher://old")
    assert fs.is_supported_mime("video/mp4; codecs=avc1")
    assert not fs.is_supported_mime("text/html")
    fs.delete()


def test_a_missing_source_is_said() -> None:
    fs = gpac.FilterSession()
    fs.load_src("nothing-here.mp4")
    fs.load_dst("null")
    with pytest.raises(rw.OpenError, match=r"nothing-here\.mp4"):
        fs.run()
    fs.delete()


# Tasks


class Counting(gpac.FilterTask):
    """Returns the results in turn, and counts."""

    def __init__(self, *results: int | None) -> None:
        super().__init__("counting")
        self.results = list(results)
        self.calls = 0

    def execute(self) -> int | None:
        self.calls += 1
        return self.results.pop(0)


def test_a_task_is_called_until_it_says_minus_one() -> None:
    fs = gpac.FilterSession()
    task = Counting(0, 1, 5, -1)
    fs.post(task)
    assert task.session is fs
    fs.run()
    assert (task.calls, task.session) == (4, None)
    fs.delete()


def test_none_reads_as_zero_until_nothing_is_left(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    remux(fs, tmp_path)
    task = Counting(None, None, *[None] * 100_000)
    fs.post(task)
    fs.run()
    assert task.calls > 2
    fs.delete()


def test_the_default_task_ends_at_once() -> None:
    fs = gpac.FilterSession()
    fs.post(gpac.FilterTask("nothing"))
    fs.run()
    assert fs.last_task
    fs.delete()


def test_a_task_may_post_a_task_and_be_taken_back() -> None:
    fs = gpac.FilterSession()
    second = Counting(-1)
    never = Counting(-1)

    class First(gpac.FilterTask):
        def execute(self) -> int:
            assert self.session is fs
            fs.post(second)
            fs.rem_task(never)
            return -1

    fs.post(First("first"))
    fs.post(never)
    fs.run()
    assert (second.calls, never.calls) == (1, 0)
    fs.delete()


def test_an_exception_in_a_task_ends_the_session() -> None:
    fs = gpac.FilterSession()
    fs.post(Counting())
    with pytest.raises(rw.FilterError, match="counting.*IndexError"):
        fs.run()
    fs.delete()


@pytest.mark.parametrize("flush", [gpac.GF_FS_FLUSH_NONE, gpac.GF_FS_FLUSH_ALL, gpac.GF_FS_FLUSH_FAST])
def test_abort_leaves_a_file_that_plays(flush: int, tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    _, f_dst, dest = remux(fs, tmp_path, "long.mp4")

    class Stop(gpac.FilterTask):
        def execute(self) -> int:
            if f_dst.get_statistics().nb_pck_processed < 100:
                return 0
            fs.abort(flush)
            return -1

    fs.post(Stop("stop"))
    fs.run()
    whole = sum(len(stream.packets) for stream in probe.packets(make.media("long.mp4")))
    written = sum(len(stream.packets) for stream in probe.packets(dest))
    assert 0 < written < whole
    fs.delete()


# Flags


class Listening(gpac.FilterCustom):
    def __init__(self, session: gpac.FilterSession) -> None:
        super().__init__(session, "listening")
        self.push_cap("StreamType", "Audio", gpac.GF_CAPS_INPUT)

    def process(self) -> int:
        for pid in self.ipids:
            pid.get_packet()
            pid.drop_packet()
        return 0


@pytest.mark.parametrize("full", [False, True])
def test_full_link_refuses_a_stream_that_nothing_takes(full: bool) -> None:
    fs = gpac.FilterSession(gpac.GF_FS_FLAG_FULL_LINK if full else 0)
    fs.load_src(str(make.media("film.mp4")))
    Listening(fs)
    if full:
        with pytest.raises(rw.LinkError, match="goes nowhere"):
            fs.run()
    else:
        fs.run()
    fs.delete()


def test_without_implicit_mode_every_sink_takes_all_that_it_accepts(tmp_path: Path) -> None:
    fs = gpac.FilterSession(gpac.GF_FS_FLAG_NO_IMPLICIT)
    fs.load_src(str(make.media("film.mp4")))
    for name in ("one.mp4", "two.ts"):
        fs.load_dst(str(tmp_path / name))
    fs.run()
    fs.delete()
    for name in ("one.mp4", "two.ts"):
        assert len(probe.packets(tmp_path / name)) == 2


# Printing


def test_graph_and_statistics_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fs = gpac.FilterSession(gpac.GF_FS_FLAG_PRINT_CONNECTIONS)
    f_src, f_dst, _ = remux(fs, tmp_path)
    fs.run()
    first, *others = capsys.readouterr().err.splitlines()
    assert first.startswith(f_src.name)
    assert any(f_dst.name in line for line in others)
    fs.reporting(True)
    fs.print_stats()
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{f_src.name}: 0 packets in, ")
    assert second.startswith(f"{f_dst.name}: ")
    fs.lock(True)
    fs.lock(False)
    assert fs.on_gl_activate(True) == 0
    fs.delete()


# Later


def test_what_a_session_and_a_filter_say_of_later(tmp_path: Path) -> None:
    fs = gpac.FilterSession()
    f_src, _, _ = remux(fs, tmp_path)
    attempts = {
        "FilterSession.http_bitrate": lambda: fs.http_bitrate,
        "FilterSession.http_max_bitrate": lambda: fs.http_max_bitrate,
        "FilterSession.external_opengl_provider": fs.external_opengl_provider,
        "Filter.bind": lambda: f_src.bind(object()),
    }
    for name, attempt in attempts.items():
        with pytest.raises(ComesLaterError, match=f"libgpac's {name} comes later"):
            attempt()
    fs.delete()
