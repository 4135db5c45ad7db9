"""Damaged on purpose: bytes flipped, cut out, inserted, in real files of every container.

Each mutant is copied in a child process that does many: nothing may crash or hang it, every error has to
be a ReelwayError, and what was written has to be readable or be absent.
"""

from __future__ import annotations

import json
import random

import pytest

from tests.conftest import count
from tests.engine.remuxing import in_child
from tests.media import make

NAMES = [
    "film.mp4", "fragmented.mp4", "subtitles.mp4", "film.mkv", "film.ts", "film.flv", "film.webm", "film.avi",
    "pcm.mov", "vp8.ogv", "opus.ogg", "flac.ogg", "hevc.mp4", "av1.mkv", "tone.mp3", "tone.aac", "tone.wav",
    "film.h264", "film.h265", "film.obu", "vp9.ivf", "subtitles-ass.mkv", "mpeg2.ts",
]  # fmt: skip
PER_CHILD = 50
TARGETS = ("mkv", "mp4", "ts")

CHILD = """
import json, sys, tempfile, traceback
from pathlib import Path
import reelway as rw
from tests.engine.remuxing import remux
from tests.engine.test_mutations import TARGETS, mutated
from tests.media import make

name, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
original = make.media(name).read_bytes()
ended = []
with tempfile.TemporaryDirectory() as folder:
    for seed in range(first, last):
        print(seed, file=sys.stderr, flush=True)
        source = Path(folder) / f"{seed}{Path(name).suffix}"
        source.write_bytes(mutated(original, seed))
        result = Path(folder) / f"out.{TARGETS[seed % len(TARGETS)]}"
        result.unlink(missing_ok=True)
        try:
            remux(source, result)
            ended.append("done")
        except rw.ReelwayError as error:
            text = f"{type(error).__name__}: {error}"
            cause = error.__cause__
            if isinstance(error, rw.FilterError) and not isinstance(cause, (rw.ReelwayError, MemoryError)):
                text = "BUG " + "".join(traceback.format_exception(error))
            ended.append(text)
        source.unlink()
print(json.dumps(ended))
"""


def mutated(data: bytes, seed: int) -> bytes:
    """A damaged copy; the same seed does the same damage. Headers are hit more often than the rest."""
    chance = random.Random(seed)
    mutant = bytearray(data)

    def place() -> int:
        end = min(len(mutant), 1500) if chance.random() < 0.5 else len(mutant)
        return chance.randrange(max(1, end))

    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = place()
        match chance.randrange(6):
            case 0:
                mutant[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                mutant[at : at + 1] = (
                    bytes([mutant[at] ^ 1 << chance.randrange(8)]) if at < len(mutant) else b""
                )
            case 2:
                del mutant[at : at + chance.choice((1, 4, 100, 5000))]
            case 3:
                mutant[at:at] = chance.randbytes(chance.choice((1, 4, 100, 5000)))
            case 4:
                mutant[at : at + 8] = chance.choice(
                    (b"\x00" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7)
                )
            case _:
                other = place()
                mutant[at:at] = mutant[other : other + chance.choice((16, 188, 1000))]
    if chance.random() < 0.1:
        del mutant[chance.randrange(len(mutant) + 1) :]
    return bytes(mutant)


@pytest.mark.parametrize("first", range(0, count(500), PER_CHILD))
@pytest.mark.parametrize("name", NAMES)
def test_damage_ends_in_a_file_or_a_typed_error(name: str, first: int) -> None:
    child = in_child(CHILD, name, first, first + PER_CHILD, timeout=100)
    seed = (child.stderr.split() or ["?"])[-1]
    assert child.returncode == 0, f"seed {seed} of {name}: {child.returncode}\n{child.stderr[-3000:]}"
    ended = json.loads(child.stdout)
    assert len(ended) == PER_CHILD
    bugs = [f"seed {first + i} of {name}: {text}" for i, text in enumerate(ended) if text.startswith("BUG")]
    assert not bugs, bugs[0]


def test_the_same_seed_does_the_same_damage() -> None:
    data = make.media("film.ts").read_bytes()
    assert mutated(data, 7) == mutated(data, 7)
    assert mutated(data, 7) != data
