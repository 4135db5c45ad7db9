"""Log levels in GPAC's words."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reelway as rw
from reelway.session.logs import TOOLS, loggers_of, tool_of
from tests.cli.conftest import surroundings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for tool in TOOLS for name in loggers_of(tool)]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def level(tool: str) -> int:
    return logging.getLogger(loggers_of(tool)[0]).getEffectiveLevel()


def test_each_tool_its_own_level() -> None:
    rw.set_logs("dash@info:core@debug,all@warning", reset=True)
    assert (level("dash"), level("core"), level("http")) == (logging.INFO, logging.DEBUG, logging.WARNING)


def test_tools_share_the_level_that_follows_them() -> None:
    rw.set_logs("dash:http:rtp@error", reset=True)
    assert {level(tool) for tool in ("dash", "http", "rtp")} == {logging.ERROR}
    assert level("core") == logging.WARNING


def test_levels_stay_until_they_are_reset() -> None:
    rw.set_logs("dash@info", reset=True)
    rw.set_logs("http@debug")
    assert level("dash") == logging.INFO
    rw.set_logs("", reset=True)
    assert level("dash") == logging.WARNING


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("dahs@info", "no log tool is named 'dahs'", "did you mean 'dash'?"),
        ("dash@inf", "no log level is named 'inf'", "did you mean 'info'?"),
        ("dash@info:core", "'dash@info:core' says no level for core", "write core@info"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(text: str, message: str, hint: str) -> None:
    rw.set_logs("dash@error", reset=True)
    with pytest.raises(rw.ReelwayError) as caught:
        rw.set_logs(text)
    assert (str(caught.value), caught.value.hint) == (message, hint)
    assert level("dash") == logging.ERROR


def test_a_tool_that_is_like_none_lists_them_all() -> None:
    with pytest.raises(rw.UnknownNameError) as caught:
        rw.set_logs("xyzzy@info")
    assert f"tools: {', '.join(TOOLS)}" == caught.value.hint


def run(code: str) -> str:
    """What the code writes on stderr, in a process without pytest's handlers."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=surroundings(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_messages_go_to_stderr_without_passwords() -> None:
    assert run(
        "import reelway as rw, logging\n"
        "rw.set_logs('dash@info'); rw.set_logs('http@info')\n"
        "logging.getLogger('reelway.dash').info('at %s', 'http://me:q7xsecret@host/x')\n"
        "logging.getLogger('reelway.runtime.scheduler').warning('hm')\n"
        "logging.getLogger('reelway.session').info('not this')\n"
    ) == ("[dash] info: at http://me:***@host/x\n[sched] warning: hm\n")


def test_a_programs_own_handlers_get_them_instead() -> None:
    assert (
        run(
            "import reelway as rw, logging\n"
            "logging.basicConfig(format='mine: %(message)s')\n"
            "rw.set_logs('dash@info')\n"
            "logging.getLogger('reelway.dash').info('once')\n"
        )
        == "mine: once\n"
    )


@pytest.mark.parametrize(("logs", "said"), [("all@debug", False), ("ffmpeg@error", True)])
def test_ffmpegs_own_log_is_off_until_it_is_asked_for(logs: str, said: bool) -> None:
    err = run(
        f"import reelway as rw\nrw.set_logs({logs!r})\n"
        "try: rw.run('rtmp://me:q7xsecret@127.0.0.1:1/x', 'null')\n"
        "except rw.OpenError: pass\n"
    )
    assert ("[ffmpeg] error: " in err) == said
    assert "secret" not in err


def test_every_logger_of_reelway_belongs_to_a_tool() -> None:
    package = Path(rw.__file__).parent
    names = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r'getLogger\("(reelway\.[\w.]+)"\)', path.read_text())
    }
    assert names
    assert {name: tool_of(name) for name in names if tool_of(name) not in TOOLS} == {}
