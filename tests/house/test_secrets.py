"""The search for passwords finds what it shall, and the tests have no passwords that it does not know."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.secrets import MARK, WRONG

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"

LEAKS = """
import base64, io, logging, subprocess, sys, threading, traceback
from pathlib import Path
import pytest
import reelway as rw
from reelway.session.application.bus import Bus
from tests.secrets import PASSWORD, PLAIN, UNICODE, USER, escaped

URL = f"rtsp://me:{escaped(PASSWORD)}@host/"

def test_good_url():
    with pytest.raises(rw.ReelwayError):
        raise rw.OpenError(f"cannot open {URL}", url=URL)
    logging.getLogger("reelway.rtp").debug("lost %s", rw.OpenError(URL))

def test_bad_log():
    logging.getLogger("reelway.rtp").debug("connects to %s", URL)

def test_bad_part():
    logging.getLogger("reelway.rtp").warning("no host is called %s", PASSWORD.partition("@")[2])

def test_bad_unicode():
    logging.getLogger("reelway.rtp").warning("%s", escaped(UNICODE))

def test_bad_basic():
    secret = base64.b64encode(f"{USER}:{PLAIN}".encode()).decode()
    logging.getLogger("reelway.http").info("sends Basic %s", secret)

def test_bad_exception_in_log():
    try:
        raise ValueError(PLAIN)
    except ValueError:
        logging.getLogger("reelway.http").debug("it failed", exc_info=True)

def test_bad_error():
    try:
        raise rw.StateError(f"the word {PLAIN} is wrong")
    except rw.StateError:
        pass

def test_bad_hint():
    rw.StateError("no", hint=f"not {PLAIN}")

def test_bad_cause():
    with pytest.raises(rw.StateError):
        raise rw.StateError("no") from OSError(URL)

def test_bad_context():
    with pytest.raises(rw.StateError):
        try:
            raise OSError(URL)
        except OSError:
            raise rw.StateError("no")

def test_bad_status():
    with rw.Session() as session:
        source = session.load("testvideo:frames=1")
        source >> session.load("null")
        source.status = f"knows {PLAIN}"
        session.run()

def test_bad_name():
    with rw.Session() as session:
        source = session.load("testvideo:frames=1")
        source.name = PLAIN
        source >> session.load("null")
        session.run()

def test_bad_message():
    Bus().post("warning", None, text=f"not {PLAIN}")

def test_bad_stdout():
    print(URL)

def test_bad_stderr_that_is_read(capfd):
    print(PLAIN, file=sys.stderr)
    assert capfd.readouterr().err

def test_bad_process():
    subprocess.run([sys.executable, "-c", "print(input())"], input=PLAIN, text=True, capture_output=True)

def test_bad_drawing(tmp_path):
    (tmp_path / "graph.dot").write_text(URL)

def test_good_after_bad():
    with rw.Session() as session:
        session.load("testvideo:frames=1") >> session.load("null")
        session.run()
"""


def test_each_way_out_is_watched(tmp_path: Path) -> None:
    """Each test that lets a password out fails, the others pass, and what is said names the place."""
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "tests.secrets", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=(out := (tmp_path / "out").open("w+")),
        stderr=subprocess.STDOUT,
        timeout=100,
    )
    out.seek(0)
    with out:
        said = out.read()
    wanted = set(re.findall(r"def (test_\w+)", LEAKS))
    failed = set(re.findall(r"^ERROR test_leaks.py::(\w+)", said, re.MULTILINE))
    passed = set(re.findall(r"^PASSED test_leaks.py::(\w+)", said, re.MULTILINE))
    assert done.returncode == 1, said
    assert passed == wanted, said
    assert failed == {name for name in wanted if name.startswith("test_bad")}, said
    assert "a password was seen:\nthe log reelway.rtp: " in said


WITH_PASSWORD = re.compile(r"[a-z]://[^\s/@\"'{}:\[\]()]*:(?P<password>[^\s/@\"'{}]+)@")
OTHERS = {"test_errors.py", "test_secrets.py", "test_optiontext.py"}
"""Where words are hidden, found or parsed that are no passwords of a test run."""


def test_every_password_in_a_test_is_looked_for() -> None:
    unknown = [
        f"{path.relative_to(TESTS)}: {match[0]}"
        for path in sorted(TESTS.rglob("*.py"))
        if path.name not in OTHERS
        for match in WITH_PASSWORD.finditer(path.read_text())
        if not re.search(rf"{MARK}|^{WRONG}|^\*\*\*$", match["password"])
    ]
    assert unknown == [], f"write {MARK} into each, or take them from tests/secrets.py"
