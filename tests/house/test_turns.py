"""Tests beside each other: whose time is measured is alone, and who hangs is ended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

CONFTEST = """
pytest_plugins = ["tests.turns"]
def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time")
"""


def run(folder: Path, code: str, *options: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(code)
    (folder / "pytest.ini").write_text("[pytest]")
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", *options, str(folder)],
        env=os.environ | {"PYTHONPATH": root}, cwd=folder, capture_output=True, text=True, timeout=100.0,
    )  # fmt: skip
    return ended.returncode, ended.stdout + ended.stderr


def test_nothing_runs_beside_a_test_that_is_alone(tmp_path: Path) -> None:
    code = f"""if True:
        import os, time
        import pytest
        def note(word):
            with open({str(tmp_path / "notes")!r}, "a") as notes:
                notes.write(word)
        @pytest.mark.parametrize("number", range(30))
        def test_beside(number):
            note("(")
            time.sleep(0.02)
            note(")")
        @pytest.mark.alone
        @pytest.mark.parametrize("number", range(10))
        def test_alone(number):
            note("[")
            time.sleep(0.02)
            note("]")
    """
    status, said = run(tmp_path, code)
    assert status == 0, said
    notes = (tmp_path / "notes").read_text()
    assert notes.count("[") == 10
    assert "((" in notes  # two workers there were
    assert re.fullmatch(r"(\[\]|\(|\))*", notes)
    for before in re.findall(r"([^\[]*)\[", notes):
        assert before.count("(") == before.count(")")


def test_a_worker_that_says_nothing_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    code = """if True:
        import os, signal
        import pytest
        @pytest.mark.parametrize("number", range(30))
        def test_it(number):
            if number == 7:
                os.kill(os.getpid(), signal.SIGSTOP)  # its timeouts stand still as well
    """
    status, said = run(tmp_path, code, "-o", "faulthandler_timeout=1.5")
    assert status == 1
    assert re.search(r"worker \d+ has said nothing for 5 s: SIGABRT", said)
    assert "1 failed, 29 passed" in said
    assert re.search(r"crashed while running 'test_it.py::test_it\[7\]'", said)


def test_a_run_in_which_nobody_says_anything_is_ended(tmp_path: Path) -> None:
    """As with a child of a test that outlives its worker: the controller takes that for the worker."""
    code = """if True:
        import os, signal, time
        def test_it():
            if not os.fork():
                time.sleep(13)
            os.kill(os.getpid(), signal.SIGKILL)
        def test_other():
            pass
    """
    status, said = run(tmp_path, code, "-o", "faulthandler_timeout=1.5", "-W", "ignore")
    assert status == 3
    assert "nobody says anything, and the run does not end" in said
    assert "MainThread" in said or "most recent call first" in said
