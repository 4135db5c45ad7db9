"""Fault injectors: filters that fail, dawdle, choke and hang, to be put where something should survive it."""

from __future__ import annotations

import os
import random
import threading
from typing import Any

from reelway.filters.simple import Forward
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.option import option


class InjectedError(Exception):
    """What `Failing` raises: no other code does."""


class Failing(Forward):
    """Passes packets on and raises InjectedError instead of the packet number `at` (from 0, over all inputs).

    `where` fails elsewhere instead: in that method, each time.
    """

    at: int = option(0, low=0, help="which packet it fails on")
    where: str = option(
        "process", choices=("open", "configure", "process", "ended", "close"), help="the method that fails"
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.passed = 0

    def open(self) -> None:
        self._fail_in("open")

    def configure(self, pid: Any) -> None:
        self._fail_in("configure")
        super().configure(pid)

    def process(self) -> float | None:
        for pid in self.ipids:
            for packet in pid:
                self.passed += 1
                if self.where == "process" and self.passed == self.at + 1:
                    raise InjectedError(f"packet {self.at}")
                if pid.output is not None:
                    pid.output.send(packet)
        return None

    def ended(self, pid: Any) -> None:
        self._fail_in("ended")
        super().ended(pid)

    def close(self) -> None:
        self._fail_in("close")

    def _fail_in(self, method: str) -> None:
        if self.where == method:
            raise InjectedError(method)


class Slow(Forward):
    """Passes on one packet each `delay_s` of the session's clock."""

    delay_s: float = option(0.1, low=0.0, help="between two packets [s]")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._next = float("-inf")

    def process(self) -> float | None:
        now = self.context.now()
        if now < self._next:
            return self._next - now
        for pid in self.ipids:
            packet = pid.get()
            if packet is not None and pid.output is not None:
                pid.output.send(packet)
                self._next = now + self.delay_s
                return self.delay_s
        return None


class Choppy(Forward):
    """Back-pressure by dice: each turn passes on a few packets of each input, or none, and asks for another.

    The packets are the same whatever is thrown.
    """

    seed: int = option(0, help="of the dice")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._dice = random.Random(self.seed)

    def process(self) -> float | None:
        left_over = False
        for pid in self.ipids:
            for _ in range(self._dice.choice((0, 0, 1, 2, 5))):
                packet = pid.get()
                if packet is None:
                    break
                if pid.output is not None:
                    pid.output.send(packet)
            left_over = left_over or pid.peek() is not None
        return 0.0 if left_over else None


class _Pipe:
    """A read in C that only `release()` ends. `hanging` is set when a thread is about to enter."""

    def __init__(self) -> None:
        self.hanging = threading.Event()
        self._read, self._write = os.pipe()

    def hang(self) -> None:
        self.hanging.set()
        os.read(self._read, 1)  # the GIL is released, signals do not reach a thread

    def release(self) -> None:
        """Lets all hangs end, now and later."""
        if self._write >= 0:
            os.close(self._write)
            self._write = -1

    def __del__(self) -> None:
        self.release()
        os.close(self._read)


class HangingSource(Filter):
    """Sends nothing: it hangs in C, in `process()` or where `where` says, until `pipe.release()`."""

    outputs = (Caps(),)
    thread = "own"
    where: str = option("process", choices=("open", "process", "close"), help="the method that hangs")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pipe = _Pipe()
        self.closed = threading.Event()

    def open(self) -> None:
        if self.where == "open":
            self.pipe.hang()
        else:
            self.new_pid("video1", StreamType="Visual", CodecID="test", Timescale=1000)

    def process(self) -> float | None:
        if self.where == "process":
            self.pipe.hang()
        for pid in self.opids:
            pid.end()
        return None

    def close(self) -> None:
        if self.where == "close":
            self.pipe.hang()
        self.closed.set()


class HangingSink(Filter):
    """Hangs in C with its first packet, or where `where` says, until `pipe.release()`."""

    inputs = (Caps(),)
    thread = "own"
    where: str = option("process", choices=("process", "ended", "close"), help="the method that hangs")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.pipe = _Pipe()
        self.closed = threading.Event()

    def process(self) -> float | None:
        for pid in self.ipids:
            for _ in pid:
                if self.where == "process":
                    self.pipe.hang()
        return None

    def ended(self, pid: Any) -> None:
        if self.where == "ended":
            self.pipe.hang()

    def close(self) -> None:
        if self.where == "close":
            self.pipe.hang()
        self.closed.set()
