"""The bus: one bounded queue, callbacks, iteration, asyncio."""

from __future__ import annotations

import asyncio
import threading

import pytest

import reelway as rw
from reelway.session.application import bus as module
from reelway.session.application.bus import Bus, Message


def test_messages_come_in_order_and_each_is_taken_once() -> None:
    bus = Bus()
    bus.post("tag", None, tags={"title": "a"})
    bus.post("eos", None)
    first = bus.pop()
    assert first is not None
    assert (first.kind, first["tags"], first.number) == ("tag", {"title": "a"}, 1)
    assert [bus.pop().kind, bus.pop()] == ["eos", None]  # type: ignore[union-attr]


def test_pop_throws_away_what_is_not_asked_for_and_gives_up_in_time() -> None:
    bus = Bus()
    bus.post("tag", None)
    bus.post("eos", None)
    assert bus.pop("eos", timeout_s=5).kind == "eos"  # type: ignore[union-attr]
    assert bus.pop(("eos", "error"), timeout_s=0.01) is None


def test_a_kind_that_does_not_exist_is_refused_with_a_near_one() -> None:
    with pytest.raises(rw.OptionError, match="no messages of kind 'eo'") as refused:
        Bus().pop("eo")  # type: ignore[arg-type]
    assert refused.value.hint == "did you mean 'eos'?"
    with pytest.raises(rw.OptionError):
        Bus().connect("warn", print)  # type: ignore[arg-type]


def test_callbacks_get_their_kinds_and_one_that_fails_disturbs_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus, seen = Bus(), []

    def fail(message: Message) -> None:
        raise RuntimeError(message.kind)

    bus.connect((), fail)
    disconnect = bus.connect(("eos", "tag"), lambda message: seen.append(message.kind))
    for kind in ("tag", "error", "eos"):
        bus.post(kind, None)  # type: ignore[arg-type]
    disconnect()
    disconnect()
    bus.post("eos", None)
    assert seen == ["tag", "eos"]
    assert caplog.text.count("a callback for") == 4


def test_nobody_listens_and_the_oldest_go_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MESSAGES", 10)
    bus = Bus()
    for _ in range(25):
        bus.post("tag", None)
    assert bus.dropped == 15
    assert [bus.pop().number for _ in range(10)] == list(range(16, 26))  # type: ignore[union-attr]


def test_iteration_ends_with_the_stream_and_with_the_application() -> None:
    bus = Bus()
    for kind in ("tag", "eos", "tag"):
        bus.post(kind, None)  # type: ignore[arg-type]
    assert [message.kind for message in bus] == ["tag", "eos"]
    bus.close()
    assert [message.kind for message in bus] == ["tag"]


def test_who_waits_in_another_thread_or_in_asyncio_is_woken() -> None:
    bus, got = Bus(), []
    waiting = threading.Thread(target=lambda: got.append(bus.pop("eos", timeout_s=None)))
    waiting.start()
    bus.post("eos", None)
    waiting.join(10)
    assert got[0].kind == "eos"

    async def listen() -> list[str]:
        asyncio.get_running_loop().call_later(0.01, bus.post, "error", None)
        return [message.kind async for message in bus.messages()]

    assert asyncio.run(listen()) == ["error"]


def test_a_message_says_who_and_what_without_its_debug_text() -> None:
    class Named:
        name = "enc"

    assert str(Message("error", Named(), {"error": "x", "debug": "y"})) == "error from enc: error=x"
