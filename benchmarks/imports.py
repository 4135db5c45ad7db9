"""What importing costs, as whole processes: `import reelway`, and all that a remux loads beyond av.

Byte code is there, as after an installation. `--modules` lists the slowest modules, as -X importtime has it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

from _measure import arguments, environment, heading, measure, process, python, work

BUDGET_MS = 25
REMUX = """
import av, reelway
reelway.run
import reelway.engine.demux, reelway.engine.mux, reelway.runtime.statistics
"""
PAIRS = {
    "import reelway": ("pass", "import reelway"),
    "what reelway.run() loads beyond av": ("import av", REMUX),
    "import numpy": ("pass", "import numpy"),
    "import av": ("pass", "import av"),
}


def main() -> None:
    given = arguments(__doc__, rounds=15)
    print(heading())
    with work() as folder:
        print("milliseconds on top of the same process without it")
        for name, (without, code) in PAIRS.items():
            found = measure(
                {"without": partial(wall_ms, without, folder), "with": partial(wall_ms, code, folder)},
                given.rounds,
                warm=2,
            )
            more = [b - a for a, b in zip(found["without"], found["with"], strict=True)]
            line = f"  {name:34}  {statistics.median(more):6.1f} ms ({min(more):.1f} to {max(more):.1f})"
            if "reelway" in name:
                kept = statistics.median(more) <= BUDGET_MS
                line += f"   budget {BUDGET_MS} ms: {'kept' if kept else 'MISSED'}"
            print(line, flush=True)
        print("slowest modules of a remux, us (importtime makes each slower)")
        for took, module in slowest(folder)[: 3 if given.tiny else 12]:
            print(f"  {took:6}  {module}")


def wall_ms(code: str, folder: Path) -> float:
    return process(python(code), folder).wall_s * 1000


def slowest(folder: Path) -> list[tuple[int, str]]:
    """(us, module) of our own modules, the slowest first; each its least of three."""
    least: dict[str, int] = {}
    for _ in range(3):
        command = [sys.executable, "-X", "importtime", "-c", REMUX]
        done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=True)
        for line in done.stderr.splitlines():
            took, _, name = line.removeprefix("import time:").split("|")
            if name.strip().startswith("reelway"):
                least[name.strip()] = min(int(took), least.get(name.strip(), 1 << 30))
    return sorted(((took, name) for name, took in least.items()), reverse=True)


if __name__ == "__main__":
    main()
