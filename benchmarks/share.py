"""Frames to other processes: as fast as it goes, and how late they come when there is time.

RGB pictures of three sizes, from one writer to 1 to 8 readers, each of which looks at every frame (at one
pixel of it). The reference is a memcpy of the same frames from one place to another. Beside it: Queue and
shared_memory of multiprocessing, the latter with a lock, iceoryx2 where it is installed (`pip install
iceoryx2`), and GStreamer's shmsink and shmsrc where they are. Latency is from before the writer's call to the
array in the reader's hands, the copy included, of 100 frames a second; CPU is that of all processes, a frame.
Of several rounds the best is told: what else the machine does shall not count.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import shared_memory
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import numpy
from _measure import arguments, heading

SIZES = {"640x360": (360, 640), "1080p": (1080, 1920), "4K": (2160, 3840)}
READERS = (1, 2, 4, 8)
SLOTS = 10
BUDGET = 0.70
BUDGET_MS = 1.0
PERIOD_S = 0.01
STARTED_S = 60.0

Context = multiprocessing.get_context("spawn")


class Found(NamedTuple):
    """What one run gave."""

    fps: float
    cpu_us: float
    p50_us: float = 0.0
    p99_us: float = 0.0


class Share:
    """`reelway.share`."""

    name = "reelway"

    def __init__(self, shape: tuple[int, ...], readers: int) -> None:
        self.readers = readers
        self.given = (f"bench-{os.getpid()}",)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[[Any], object]]:
        from reelway import share

        with share.Writer(self.given[0], slots=SLOTS, patience_s=60.0) as writer:
            yield lambda frame: writer.write(frame, capture_time=time.monotonic_ns())

    @staticmethod
    def reading(name: str) -> Iterator[tuple[int, Any]]:
        from reelway import share

        with share.open(name, timeout_s=STARTED_S) as frames:
            yield 0, None
            for frame in frames:
                yield frame.capture_time or 0, frame


class Queue:
    """A queue for each reader; frames are pickled."""

    name = "multiprocessing.Queue"

    def __init__(self, shape: tuple[int, ...], readers: int) -> None:
        self.queues = [Context.Queue(SLOTS) for _ in range(readers)]
        self.given = (self.queues,)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[[Any], object]]:
        def write(frame: Any) -> None:
            now = time.monotonic_ns()
            for queue in self.queues:
                queue.put((now, frame))

        yield write

    @staticmethod
    def reading(queues: Any, at: int) -> Iterator[tuple[int, Any]]:
        yield 0, None
        while True:
            yield queues[at].get()


class Locked:
    """One piece of shared memory and a condition; readers copy the frame out while they have the lock."""

    name = "shared_memory + lock"

    def __init__(self, shape: tuple[int, ...], readers: int) -> None:
        self.readers = readers
        self.memory = shared_memory.SharedMemory(create=True, size=int(numpy.prod(shape)))
        self.numbers = Context.Array(
            "q", 3, lock=False
        )  # frames written, readers that have the last, its time
        self.numbers[1] = readers
        self.changed = Context.Condition()
        self.given = (self.memory.name, shape, self.numbers, self.changed)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[[Any], object]]:
        slot: Any = numpy.ndarray(self.given[1], numpy.uint8, self.memory.buf)

        def write(frame: Any, slot: Any = slot) -> None:
            now = time.monotonic_ns()
            with self.changed:
                self.changed.wait_for(lambda: self.numbers[1] == self.readers)
                numpy.copyto(slot, frame)
                self.numbers[0] += 1
                self.numbers[1:] = [0, now]
                self.changed.notify_all()

        del slot
        try:
            yield write
            with self.changed:
                self.changed.wait_for(lambda: self.numbers[1] == self.readers)
        finally:
            del write
            self.memory.close()
            self.memory.unlink()

    @staticmethod
    def reading(name: str, shape: Any, numbers: Any, changed: Any) -> Iterator[tuple[int, Any]]:
        memory = shared_memory.SharedMemory(name)
        slot: Any = numpy.ndarray(shape, numpy.uint8, memory.buf)
        own = numpy.empty_like(slot)
        yield 0, None
        last = 0
        while True:
            with changed:
                changed.wait_for(lambda last=last: numbers[0] > last)
                numpy.copyto(own, slot)
                last, now = numbers[0], numbers[2]
                numbers[1] += 1
                changed.notify_all()
            yield now, own


class Iceoryx:
    """Its publisher and subscribers, and its events to wake them."""

    name = "iceoryx2"

    def __init__(self, shape: tuple[int, ...], readers: int) -> None:
        self.shape = shape
        self.given = (f"bench-{os.getpid()}-{time.monotonic_ns()}",)

    @staticmethod
    def service(name: str) -> Any:
        import iceoryx2

        iceoryx2.set_log_level(iceoryx2.LogLevel.Fatal)
        node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
        frames = node.service_builder(iceoryx2.ServiceName.new(name))
        frames = frames.publish_subscribe(iceoryx2.Slice[ctypes.c_uint8]).enable_safe_overflow(False)
        frames = frames.subscriber_max_buffer_size(SLOTS).max_subscribers(8).max_nodes(16).open_or_create()
        events = node.service_builder(iceoryx2.ServiceName.new(name)).event().max_listeners(8)
        return node, frames, events.max_nodes(16).open_or_create()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[[Any], object]]:
        size = int(numpy.prod(self.shape))
        node, frames, events = self.service(*self.given)
        publisher = frames.publisher_builder().initial_max_slice_len(size + 8).create()
        notifier = events.notifier_builder().create()

        def write(frame: Any) -> None:
            now = time.monotonic_ns()
            sample = publisher.loan_slice_uninit(size + 8)
            memory = sample.payload().as_memory_view()
            numpy.frombuffer(memory, numpy.int64, 1)[0] = now
            numpy.copyto(numpy.ndarray(frame.shape, numpy.uint8, memory, 8), frame)
            sample.assume_init().send()
            notifier.notify()

        yield write
        del node

    @staticmethod
    def reading(name: str) -> Iterator[tuple[int, Any]]:
        node, frames, events = Iceoryx.service(name)
        subscriber = frames.subscriber_builder().create()
        listener = events.listener_builder().create()
        yield 0, None
        while True:
            while (sample := subscriber.receive()) is not None:
                memory = sample.payload().as_memory_view()
                yield int(numpy.frombuffer(memory, numpy.int64, 1)[0]), numpy.frombuffer(memory, numpy.uint8)
            listener.blocking_wait()
        del node


KINDS: tuple[Any, ...] = (Share, Queue, Locked, Iceoryx)


def read(kind: str, given: tuple[Any, ...], at: int, frames: int, ready: Any, told: Any) -> None:
    """A reader: it tells how late each frame was, and its CPU time."""
    contestant = next(each for each in KINDS if each.__name__ == kind)
    delays: list[int] = []
    coming = contestant.reading(*given, at) if contestant is Queue else contestant.reading(*given)
    next(coming)
    ready.release()
    began = 0.0
    for sent, frame in coming:
        delays.append(time.monotonic_ns() - sent)
        began = began or time.process_time()
        assert frame.flat[-1] == 1
        del frame
        if len(delays) == frames:
            break
    told.send((delays, time.process_time() - began, "av" in sys.modules))
    told.close()
    os._exit(0)  # what a contestant leaves behind is not measured


def run(kind: Any, shape: tuple[int, ...], readers: int, frames: int, period_s: float = 0.0) -> Found:
    """One writer and its readers, from the first frame to the last that came."""
    contestant = kind(shape, readers)
    ready = Context.Semaphore(0)
    picture = numpy.ones(shape, numpy.uint8)
    warm = SLOTS + 2
    with contestant.writing() as write:
        processes, pipes = [], []
        for at in range(readers):
            ours, theirs = Context.Pipe(duplex=False)
            given = (kind.__name__, contestant.given, at, frames + warm, ready, theirs)
            process = Context.Process(target=read, args=given)
            process.start()
            theirs.close()
            processes.append(process)
            pipes.append(ours)
        for _ in processes:
            assert ready.acquire(timeout=STARTED_S), f"a reader of {kind.name} does not start"
        for _ in range(warm):
            write(picture)
        begun, cpu = time.perf_counter(), time.process_time()
        for at in range(frames):
            if period_s:
                time.sleep(max(0.0, begun + at * period_s - time.perf_counter()))
            write(picture)
        told = [pipe.recv() for pipe in pipes]
        wall = time.perf_counter() - begun
        cpu = time.process_time() - cpu + sum(each[1] for each in told)
        for process in processes:
            process.join()
    delays = [delay for each in told for delay in each[0][warm:]]
    assert not any(each[2] for each in told), "a reader has loaded av"
    return Found(frames / wall, cpu / frames * 1e6, median(delays) / 1e3, quantiles(delays, n=100)[98] / 1e3)


def memcpy(shape: tuple[int, ...], frames: int) -> Found:
    """From one place to another: what can be reached at all."""
    source, target = numpy.ones(shape, numpy.uint8), numpy.ones(shape, numpy.uint8)
    numpy.copyto(target, source)
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in range(frames):
        numpy.copyto(target, source)
    wall = time.perf_counter() - begun
    return Found(frames / wall, (time.process_time() - cpu) / frames * 1e6, wall / frames * 1e6)


def gstreamer(shape: tuple[int, ...], frames: int) -> Found:
    """`fdsrc ! shmsink` of zeros, and `shmsrc ! fakesink`; latency is not to be had there."""
    size = int(numpy.prod(shape))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open("/dev/zero", "rb") as zeros:
            sink = [
                "gst-launch-1.0",
                "-q",
                "fdsrc",
                "fd=0",
                f"blocksize={size}",
                "!",
                "shmsink",
                "sync=false",
            ]
            sink += [f"socket-path={path}", f"shm-size={size * SLOTS}", "wait-for-connection=true"]
            writer = subprocess.Popen(sink, stdin=zeros, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not path.exists():
                time.sleep(0.01)
            source = [
                "gst-launch-1.0",
                "shmsrc",
                f"socket-path={path}",
                f"num-buffers={frames}",
                "!",
                "fakesink",
            ]
            done = subprocess.run(source, capture_output=True, text=True, timeout=120, check=False)
            writer.send_signal(signal.SIGINT)  # killed, it would leave its memory behind
            try:
                writer.wait(5)
            except subprocess.TimeoutExpired:
                writer.kill()
                writer.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = done.stdout.partition("Execution ended after ")[2].split()[0]  # 0:00:01.234567890
        hours, minutes, seconds = said.split(":")
        wall = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Found(frames / wall, cpu / frames * 1e6)


def line(name: str, found: Found, late: Found | None, reference: Found) -> None:
    ratio = found.fps / reference.fps
    text = f"    {name:24} {found.fps:8.0f} frames/s, {ratio:5.2f} of memcpy, {found.cpu_us:7.0f} us CPU"
    if late is not None:
        text += f";  latency p50 {late.p50_us:6.0f} us, p99 {late.p99_us:6.0f} us"
    print(text, flush=True)


def best(rounds: int, once: Callable[[], Found]) -> Found:
    """The fastest of several: others use the machine, too."""
    return max((once() for _ in range(rounds)), key=lambda found: found.fps)


def calmest(rounds: int, once: Callable[[], Found]) -> Found:
    return min((once() for _ in range(rounds)), key=lambda found: found.p99_us)


def missing(name: str) -> str:
    """Why a contestant is not there; empty: it is."""
    if name == "iceoryx2":
        try:
            import iceoryx2  # noqa: F401
        except ImportError:
            return "not installed (`pip install iceoryx2`)"
    if name == "shmsink" and not shutil.which("gst-launch-1.0"):
        return "not installed (apt-get install gstreamer1.0-tools gstreamer1.0-plugins-bad)"
    if name == "shmsink" and subprocess.run(["gst-inspect-1.0", "shmsink"], capture_output=True).returncode:
        return "not installed (apt-get install gstreamer1.0-plugins-bad)"
    return ""


def verdict(size: str, kept: bool, budget: str) -> str:
    """Budgets are for 1080p: smaller frames are copied in less time than a process takes to wake."""
    return f"   budget {budget}: {'kept' if kept else 'MISSED'}" if size == "1080p" else ""


def main() -> None:
    given = arguments(__doc__, rounds=2)
    print(heading())
    kept = []
    for size, (height, width) in SIZES.items():
        if given.tiny and size != "640x360":
            continue
        shape = (height, width, 3)
        frames = 20 if given.tiny else int(min(2000, 1.5e9 / numpy.prod(shape)))
        late = 10 if given.tiny else 200
        print(f"{size}, {int(numpy.prod(shape)) / 1e6:.1f} MB a frame, {frames} frames", flush=True)
        for readers in READERS[: 2 if given.tiny else None]:
            reference = best(given.rounds, lambda shape=shape, frames=frames: memcpy(shape, frames))
            print(
                f"  readers: {readers}   (memcpy {reference.fps:.0f} frames/s, load {os.getloadavg()[0]:.1f})"
            )
            for kind in KINDS:
                if missing(kind.name):
                    continue
                fast = max(5, frames // 10) if kind is Queue else frames
                found = best(given.rounds, lambda k=kind, s=shape, r=readers, f=fast: run(k, s, r, f))
                reference = max(reference, memcpy(shape, frames), key=lambda each: each.fps)
                slow = calmest(
                    given.rounds, lambda k=kind, s=shape, r=readers, n=late: run(k, s, r, n, PERIOD_S)
                )
                line(kind.name, found, slow, reference)
                if kind is Share and readers == 1:
                    kept.append((size, found.fps / reference.fps, slow.p99_us / 1e3, reference.p50_us / 1e3))
            if readers == 1 and not missing("shmsink"):
                line("shmsink, shmsrc", gstreamer(shape, frames), None, reference)
    for size, ratio, p99_ms, copy_ms in kept:
        print(f"{size}, one reader: {ratio:.2f} of memcpy{verdict(size, ratio >= BUDGET, f'{BUDGET:.2f}')}")
        print(
            f"    p99 {p99_ms:.2f} ms, of which the copy is {copy_ms:.2f}"
            f"{verdict(size, p99_ms < BUDGET_MS, f'{BUDGET_MS:g} ms')}"
        )
    for name in ("iceoryx2", "shmsink"):
        if missing(name):
            print(f"{name} is {missing(name)}")


if __name__ == "__main__":
    main()
