"""Each benchmark runs, on tiny input: its figures then mean nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_benchmark_runs(script: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(
        [sys.executable, str(script), "--tiny"], env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Python "), "it begins with what it runs on"
    assert len(done.stdout.splitlines()) > 2, done.stdout


def test_make_bench_finds_them() -> None:
    assert [path.stem for path in SCRIPTS] == [
        "display",
        "frames",
        "hop",
        "imports",
        "latency",
        "live",
        "memory",
        "pipelines",
        "record",
        "remux",
        "resolve",
        "share",
        "transcode",
    ]
    assert "benchmarks/[a-z]*.py" in (ROOT / "Makefile").read_text()
