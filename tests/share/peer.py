"""The other process, which tests start, ask, and kill: `python -m tests.share.peer KIND ...`.

It says one line of JSON for each thing it is asked (`ask`), and one when it has begun and when it ends.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy

from reelway import share
from reelway.errors import ReelwayError


class State:
    """What the thread that answers may see."""

    frames = 0
    stop = False
    writer: share.Writer | None = None


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def answer(state: State) -> None:
    """Each line that comes is a question; when there are no more, the test is gone, and so is this."""
    for line in sys.stdin:
        if line.strip() == "stop":
            state.stop = True
        else:
            told: dict[str, Any] = {"frames": state.frames, "asked": line.strip()}
            if line.strip() == "all":
                maps = Path("/proc/self/maps").read_text()
                told |= {"descriptors": len(os.listdir("/proc/self/fd")), "maps": maps.count("memfd:reelway")}
            if state.writer is not None and line.strip() == "all":
                told["info"] = state.writer.info()
            say(**told)
    os._exit(3)


def main() -> None:
    given: dict[str, Any] = json.loads(sys.argv[2])
    state = State()
    threading.Thread(target=answer, args=(state,), daemon=True).start()
    try:
        {"hash": hashes, "check": check, "write": write, "hold": hold}[sys.argv[1]](state, given)
    except ReelwayError as error:
        say(error=type(error).__name__, text=str(error), hint=error.hint, frames=state.frames)
    say(end=True)
    os._exit(0)  # the thread that answers reads on


def opened(given: dict[str, Any]) -> share.Reader:
    names = ("policy", "timeout_s", "when_gone", "user")
    return share.open(given["name"], **{name: given[name] for name in names if name in given})


def hashes(state: State, given: dict[str, Any]) -> None:
    """All frames, as their hashes."""
    found = []
    with opened(given) as frames:
        say(begun=True)
        for frame in frames:
            found.append([frame.sequence, hashlib.blake2b(numpy.ascontiguousarray(frame)).hexdigest()])
            state.frames += 1
        say(hashes=found, missed=frames.missed, writable=bool(frame.flags.writeable))


def check(state: State, given: dict[str, Any]) -> None:
    """Each frame is filled with its number, when it comes and after a while, of which nobody knows."""
    draw = random.Random(given.get("seed", 0))
    most_s = given.get("delay_s", 0.0)
    with opened(given) as frames:
        say(begun=True)
        kept: list[Any] = []
        last = 0
        for frame in frames:
            ordered = frame.sequence > last or frame.sequence == 1 or given.get("when_gone") == "wait"
            kept = [*kept[len(kept) - draw.randrange(2) :], frame] if given.get("keep") else [frame]
            if most_s and draw.random() < 0.3:
                time.sleep(draw.random() * most_s)
            wrong = [each.sequence for each in kept if not (each == each.flat[0]).all()]
            if wrong or not ordered or frame.flat[0] != frame.sequence % 251:
                say(torn=wrong, sequence=frame.sequence, last=last, value=int(frame.flat[0]))
                return
            last = frame.sequence
            state.frames += 1
        say(checked=state.frames, over=frames.over)


def hold(state: State, given: dict[str, Any]) -> None:
    """Takes `frames`, and holds all of them until it is told to stop."""
    with opened(given) as frames:
        held = [frames.pull() for _ in range(given.get("frames", 1))]
        before = [hashlib.blake2b(frame).hexdigest() for frame in held if frame is not None]
        state.frames = len(held)
        say(begun=True)
        while not state.stop:
            time.sleep(0.002)  # until it is told
        after = [hashlib.blake2b(frame).hexdigest() for frame in held if frame is not None]
        say(same=before == after)
        while given.get("pull") and frames.pull() is not None:
            pass


def write(state: State, given: dict[str, Any]) -> None:
    """Frames that are filled with their number, as fast as it can, until it is told to stop."""
    draw = random.Random(given.get("seed", 0))
    names = ("slots", "slot_bytes", "patience_s", "max_bytes", "allow_users")
    with share.Writer(given["name"], **{name: given[name] for name in names if name in given}) as writer:
        state.writer = writer
        say(begun=True)
        writer.wait_readers(given.get("readers", 1), 60.0)
        until = time.monotonic() + given.get("seconds", 1e9)
        frame = numpy.zeros(given.get("shape", (64, 1024)), numpy.uint8)
        while not state.stop and time.monotonic() < until and state.frames < given.get("frames", 1 << 60):
            if given.get("sizes") and draw.random() < 0.01:
                frame = numpy.zeros((draw.randrange(1, 200), 1024), numpy.uint8)
            frame[:] = (writer.frames + 1) % 251
            writer.write(frame)
            state.frames = writer.frames
        info = writer.info()
        if given.get("leave"):
            os.kill(os.getpid(), 9)
    say(written=state.frames, info=info)


if __name__ == "__main__":
    main()
