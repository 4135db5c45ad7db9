"""GLib's main loop: order, time, threads, nesting, descriptors, signals of the system, and no polling."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from reelway.compat.gst import glib as GLib


def ending(loop: Any, act: Callable[..., Any]) -> Callable[..., bool]:
    """`act`, and then the end of the loop."""

    def call(*data: Any) -> bool:
        act(*data)
        loop.quit()
        return False

    return call


def run_until(*setup: Callable[[Any], Any]) -> None:
    """Runs a loop that the last callback quits; 10 s are too long."""
    loop = GLib.MainLoop()
    late = GLib.timeout_add(10_000, lambda: pytest.fail("nobody quit the loop"))
    for each in setup:
        each(loop)
    loop.run()
    assert GLib.source_remove(late)


def test_timeouts_come_in_order_and_again_while_they_return_true() -> None:
    seen: list[str] = []

    def again(name: str, loop: Any, most: int) -> bool:
        seen.append(name)
        if seen.count(name) == most:
            loop.quit()
        return seen.count(name) < most

    def setup(loop: Any) -> None:
        GLib.timeout_add(30, lambda: seen.append("late") or False)
        GLib.timeout_add(5, again, "often", loop, 8)

    run_until(setup)
    assert seen.count("often") == 8
    assert seen.count("late") == 1
    assert seen.index("late") >= 3


def test_a_timeout_does_not_come_early() -> None:
    begun = time.monotonic()
    run_until(lambda loop: GLib.timeout_add(50, loop.quit))
    assert time.monotonic() - begun >= 0.05


def test_priorities_decide_who_comes_first() -> None:
    seen: list[str] = []

    def setup(loop: Any) -> None:
        GLib.idle_add(ending(loop, lambda: seen.append("idle")))
        GLib.timeout_add(0, lambda: seen.append("timeout") or False)
        GLib.idle_add(lambda: seen.append("high") or False, priority=GLib.PRIORITY_HIGH)

    run_until(setup)
    assert seen == ["high", "timeout", "idle"]


def test_idle_callbacks_get_their_data() -> None:
    seen: list[Any] = []
    run_until(lambda loop: GLib.idle_add(ending(loop, lambda *data: seen.append(data)), 1, "two"))
    assert seen == [(1, "two")]


def test_a_removed_source_is_not_called() -> None:
    def setup(loop: Any) -> None:
        gone = GLib.timeout_add(1, lambda: pytest.fail("it was removed"))
        assert GLib.source_remove(gone)
        assert not GLib.source_remove(gone)
        GLib.timeout_add(20, loop.quit)

    run_until(setup)


def test_loops_nest_and_quit_the_right_one() -> None:
    order: list[str] = []

    def outer_callback(outer: Any) -> bool:
        inner = GLib.MainLoop()
        GLib.idle_add(ending(inner, lambda: order.append("inner")))
        inner.run()
        order.append("outer")
        assert outer.is_running()
        assert not inner.is_running()
        outer.quit()
        return False

    run_until(lambda loop: GLib.idle_add(outer_callback, loop))
    assert order == ["inner", "outer"]


def test_another_thread_adds_and_quits() -> None:
    loop = GLib.MainLoop()
    seen: list[str] = []

    def work() -> None:
        GLib.idle_add(ending(loop, lambda: seen.append(threading.current_thread().name)))

    GLib.idle_add(threading.Thread(target=work).start)
    loop.run()
    assert seen == [threading.current_thread().name]


def test_a_loop_without_work_does_not_use_the_processor() -> None:
    loop = GLib.MainLoop()
    threading.Timer(0.3, loop.quit).start()
    before = time.process_time()
    loop.run()
    assert time.process_time() - before < 0.1


def test_what_a_callback_raises_is_shown_and_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _frames: shown.append(error))

    def setup(loop: Any) -> None:
        GLib.idle_add(lambda: 1 / 0)
        GLib.timeout_add(5, loop.quit)

    run_until(setup)
    assert [type(error) for error in shown] == [ZeroDivisionError]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_exit_ends_the_loop(stop: type[BaseException]) -> None:
    def raise_it() -> None:
        raise stop

    loop = GLib.MainLoop()
    GLib.idle_add(raise_it)
    with pytest.raises(stop):
        loop.run()
    assert not loop.is_running()


def test_descriptors_are_watched() -> None:
    read, write = os.pipe()
    seen: list[Any] = []

    def readable(fd: int, condition: Any, word: str, loop: Any) -> bool:
        seen.append((fd == read, condition, os.read(fd, 100), word))
        if len(seen) == 2:
            loop.quit()
        return len(seen) < 2

    def setup(loop: Any) -> None:
        GLib.io_add_watch(read, GLib.PRIORITY_DEFAULT, GLib.IO_IN, readable, "data", loop)
        GLib.idle_add(lambda: os.write(write, b"one") and False)
        GLib.timeout_add(20, lambda: os.write(write, b"two") and False)

    run_until(setup)
    os.close(read)
    os.close(write)
    assert seen == [(True, GLib.IO_IN, b"one", "data"), (True, GLib.IO_IN, b"two", "data")]


def test_signals_of_the_system_come_in_the_loop() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    seen: list[str] = []

    def setup(loop: Any) -> None:
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, ending(loop, lambda: seen.append("usr1")))
        GLib.idle_add(lambda: os.kill(os.getpid(), signal.SIGUSR1))

    run_until(setup)
    assert seen == ["usr1"]
    assert signal.getsignal(signal.SIGUSR1) == before


def test_ctrl_c_ends_run_with_a_keyboard_interrupt() -> None:
    code = (
        "from reelway.compat.gst import glib as GLib\n"
        "loop = GLib.MainLoop()\n"
        "GLib.idle_add(lambda: print('runs', flush=True))\n"
        "try:\n    loop.run()\nexcept KeyboardInterrupt:\n    print('interrupted', loop.is_running())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "runs\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "interrupted False\n"


def test_sources_of_another_context_are_that_contexts() -> None:
    context = GLib.MainContext.new()
    seen: list[str] = []
    source = GLib.timeout_source_new(1)
    source.set_callback(lambda *data: seen.append("own") or False, None)
    source.attach(context)
    assert not GLib.MainContext.default().pending()
    while not seen:
        context.iteration(True)
    assert seen == ["own"]
    assert source.is_destroyed()


def test_invoke_runs_on_the_thread_of_the_context() -> None:
    loop = GLib.MainLoop()
    seen: list[str] = []

    def work() -> None:
        loop.get_context().invoke(ending(loop, lambda: seen.append(threading.current_thread().name)))

    GLib.idle_add(threading.Thread(target=work).start)
    loop.run()
    assert seen == [threading.current_thread().name]


def test_clocks_and_numbers() -> None:
    assert abs(GLib.get_monotonic_time() - time.monotonic_ns() // 1000) < 1_000_000
    assert abs(GLib.get_real_time() - time.time_ns() // 1000) < 1_000_000
    assert (GLib.MAXINT, GLib.MAXUINT64, GLib.MININT8) == (2**31 - 1, 2**64 - 1, -128)
    assert (GLib.SOURCE_CONTINUE, GLib.SOURCE_REMOVE) == (True, False)


def test_file_names_are_uris_and_back() -> None:
    assert GLib.filename_to_uri("/tmp/a b.mp4") == "file:///tmp/a%20b.mp4"
    assert GLib.filename_from_uri("file:///tmp/a%20b.mp4") == ("/tmp/a b.mp4", None)
    with pytest.raises(GLib.Error, match="not an absolute path"):
        GLib.filename_to_uri("a.mp4")


def test_an_error_has_domain_code_and_message() -> None:
    error = GLib.Error("gone", "gst-resource-error-quark", 3)
    assert (error.message, error.domain, error.code) == ("gone", "gst-resource-error-quark", 3)
    assert str(error) == "gst-resource-error-quark: gone (3)"
    assert repr(error) == "GLib.Error('gone', 'gst-resource-error-quark', 3)"
    assert error.matches("gst-resource-error-quark", 3)
    assert not error.matches("gst-resource-error-quark", 4)
    with pytest.raises(RuntimeError):
        raise error
