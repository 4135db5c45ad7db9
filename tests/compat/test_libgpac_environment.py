"""Arguments, logs, clocks and error texts."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

import reelway.compat.libgpac as gpac
from reelway.compat.libgpac import environment


@pytest.fixture(autouse=True)
def _as_at_the_start() -> Iterator[None]:
    gpac.init()
    yield
    gpac.init()
    gpac.set_logs("", reset=True)


def test_arguments_are_kept_for_the_sessions_to_come() -> None:
    gpac.set_args(
        ["--ignored=1", "--saps=1", "--rt", "-no-block", "-blacklist=one,two", "-threads=3", "file"]
    )
    gpac.set_args(["ignored", "--saps=2"])
    settings = environment.settings
    assert settings.options == {"saps": "2", "rt": ""}
    assert settings.blacklist == ["one", "two"]
    assert not settings.blocking
    assert settings.threads == 3


def test_init_forgets_arguments() -> None:
    gpac.set_args(["", "--saps=1"])
    gpac.init(1, "customprofile")
    assert environment.settings.options == {}
    assert environment.settings.profile == "customprofile"


def test_an_argument_without_counterpart_is_said(caplog: pytest.LogCaptureFixture) -> None:
    gpac.set_args(["", "-gpu=on"])
    assert caplog.messages == ["libgpac's argument -gpu has no counterpart in Reelway and is ignored"]


@pytest.mark.parametrize(
    ("logs", "logger", "level"),
    [
        ("dash@info", "reelway.adaptive", logging.INFO),
        ("all@debug", "reelway", logging.DEBUG),
        ("dash:codec@error", "reelway.adaptive", logging.ERROR),
        ("all@quiet:sched@info", "reelway.runtime", logging.INFO),
    ],
)
def test_logs(logs: str, logger: str, level: int) -> None:
    gpac.set_logs(logs)
    assert logging.getLogger(logger).level == level
    gpac.set_logs("", reset=True)
    assert logging.getLogger("reelway.runtime").level == logging.NOTSET
    assert logging.getLogger("reelway").level == logging.WARNING


def test_a_mistake_in_logs_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    gpac.set_logs("dahs@info")
    gpac.set_logs("dash@inform")
    assert caplog.messages == [
        "set_logs: no log tool is named 'dahs'",
        "set_logs: no log level is named 'inform'",
    ]


def test_clocks() -> None:
    before, fine = gpac.sys_clock(), gpac.sys_clock_high_res()
    gpac.sleep(5)
    assert gpac.sys_clock() - before >= 4
    assert gpac.sys_clock_high_res() - fine >= 4_000


def test_every_code_has_a_text() -> None:
    codes = {name: getattr(gpac, name) for name in dir(gpac) if name.startswith("GF_")}
    assert gpac.e2s(gpac.GF_OK) == "no error"
    for name in ("GF_EOS", "GF_URL_ERROR", "GF_IP_UDP_TIMEOUT", "GF_REQUIRES_NEW_INSTANCE"):
        assert "unknown" not in gpac.e2s(codes[name])
    assert gpac.e2s(-999) == "unknown error -999"


def test_close_leaves_nothing_open() -> None:
    assert gpac.close() == 0
