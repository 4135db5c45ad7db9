"""Peak memory of a remux, as a whole process: a file of 2 GB takes no more than one of 0.2 GB.

Resident memory, as the system counts it at the end. The reference is a bare PyAV loop.
"""

from __future__ import annotations

from _measure import arguments, heading, process, python, work
from remux import LOOP, REELWAY

BUDGET_MB = 150


def main() -> None:
    given = arguments(__doc__, rounds=1)
    from tests.media import make

    print(heading())
    with work() as folder:
        target = folder / "copy.mp4"
        for size in (1 << 20,) if given.tiny else (200 << 20, 2 << 30):
            source = make.big_film(folder / "film.mp4", size)
            print(f"{source.stat().st_size / 1e6:.0f} MB, mp4 to mp4: peak resident memory")
            for name, code in (("PyAV loop", LOOP), ("reelway", REELWAY)):
                runs = [process(python(code, source, target), folder) for _ in range(given.rounds)]
                peak_mb = max(run.peak_mb for run in runs)
                line = f"  {name:9}  {peak_mb:6.1f} MB"
                if name == "reelway":
                    line += f"   budget {BUDGET_MB} MB: {'kept' if peak_mb < BUDGET_MB else 'MISSED'}"
                print(line, flush=True)


if __name__ == "__main__":
    main()
