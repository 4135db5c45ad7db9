"""Every name that libgpac's Python has is there, or says what it waits for; any other names the nearest."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

import reelway as rw
import reelway.compat.libgpac as gpac
from reelway.compat.libgpac.later import LATER, ComesLaterError
from reelway.compat.script import run_script
from tests.compat import face


@pytest.mark.parametrize("name", [*face.FUNCTIONS, *face.CLASSES, *face.LATER_CLASSES, "FilterEvent"])
def test_the_module_has(name: str) -> None:
    assert hasattr(gpac, name)
    assert name in gpac.__all__
    assert name in dir(gpac)


def test_constants_are_numbers_with_libgpacs_values() -> None:
    assert all(type(getattr(gpac, name)) is int for name in face.CONSTANTS)
    assert set(face.CONSTANTS) == {name for name in dir(gpac) if name.startswith("GF_")}
    expected = {
        "GF_FS_FLAG_NON_BLOCKING": 4,
        "GF_FS_FLAG_NO_IMPLICIT": 2048,
        "GF_PROP_4CC_LIST": 26,
        "GF_PROP_CICP_COL_MX": 44,
        "GF_FEVT_BUFFER_REQ": 14,
        "GF_FEVT_FILE_DELETE": 19,
        "GF_FS_ARG_SINK_ALIAS": 128,
        "GF_CAPS_INPUT": 3,
        "GF_CAPS_OUTPUT": 5,
        "GF_CAPS_INPUT_OUTPUT": 7,
        "GF_CAPS_INPUT_OUTPUT_OPT": 71,
        "GF_CAPS_OUTPUT_STATIC_EXCLUDED": 45,
        "GF_STATS_SINK": 6,
        "GF_EOS": 1,
        "GF_BAD_PARAM": -1,
        "GF_URL_ERROR": -12,
        "GF_IP_UDP_TIMEOUT": -46,
        "GF_FILTER_NOT_SUPPORTED": -57,
    }
    assert {name: getattr(gpac, name) for name in expected} == expected


@pytest.mark.parametrize(("owner", "attributes"), face.CLASSES.items(), ids=list(face.CLASSES))
def test_the_class_has(owner: str, attributes: str) -> None:
    missing = [name for name in attributes.split() if not hasattr(getattr(gpac, owner), name)]
    assert not missing


@pytest.mark.parametrize("part", face.PARTS_OF_EVENT)
def test_an_event_has_its_parts(part: str) -> None:
    evt = gpac.FilterEvent(gpac.GF_FEVT_USER)
    assert getattr(evt, part).type == gpac.GF_FEVT_USER
    assert getattr(evt, part) is getattr(evt, part)


@pytest.mark.parametrize("name", face.LATER_CLASSES)
def test_a_class_of_later_says_so_when_made_or_inherited_from(name: str) -> None:
    later = getattr(gpac, name)
    with pytest.raises(ComesLaterError, match=f"libgpac's {name} comes later: .* comes? with .*reelway"):
        later("url", object())
    with pytest.raises(ComesLaterError, match=name):
        type("Mine", (later,), {})


@pytest.mark.parametrize("name", ["set_rmt_fun", "rmt_send", "rmt_on", "rmt_enable"])
def test_a_function_of_later_says_so_when_called(name: str) -> None:
    with pytest.raises(ComesLaterError, match=f"{name} comes later: the remote monitor"):
        getattr(gpac, name)("text")


def test_an_error_of_later_is_reelways_and_pythons() -> None:
    with pytest.raises(rw.UnsupportedError):
        gpac.rmt_on()
    with pytest.raises(NotImplementedError):
        gpac.rmt_on()


def test_every_name_of_later_exists() -> None:
    for name in LATER:
        owner, _, attribute = name.rpartition(".")
        attribute = attribute.partition("(")[0]
        assert hasattr(getattr(gpac, owner) if owner else gpac, attribute), name


def test_an_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(AttributeError, match="no name in libgpac is named 'FilterSesion'.*'FilterSession'"):
        _ = gpac.FilterSesion
    with pytest.raises(AttributeError, match="'GF_FS_FLAG_NON_BLOCKING'"):
        _ = gpac.GF_FS_FLAG_NONBLOCKING
    assert not hasattr(gpac, "anything_else")


def test_an_unknown_part_of_an_event_gives_the_nearest() -> None:
    with pytest.raises(AttributeError, match="part of a FilterEvent.*'buffer_req'"):
        _ = gpac.FilterEvent().buffer_reqs


class Misspelt(gpac.FilterCustom):
    """Asks its new PID for what it has not."""

    def __init__(self, session: gpac.FilterSession, name: str) -> None:
        super().__init__(session, "misspelt")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_OUTPUT)
        self.misspelt = name

    def process(self) -> int:
        getattr(self.new_pid(), self.misspelt)
        return 0


def test_an_unknown_attribute_in_a_callback_gives_the_nearest() -> None:
    session = gpac.FilterSession()
    Misspelt(session, "get_pakcet")
    with pytest.raises(rw.FilterError, match="'FilterPid' object has no attribute 'get_pakcet'") as caught:
        session.run()
    assert caught.value.hint == "did you mean 'get_packet'?"


def test_an_unknown_attribute_in_a_script_gives_the_nearest(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import libgpac as gpac\nprint(gpac.FilterSession().nb_filter)\n")
    errors = io.StringIO()
    assert run_script(script, errors=errors) == 1
    assert "'FilterSession' object has no attribute 'nb_filter'" in errors.getvalue()
    assert re.search("[Dd]id you mean:? 'nb_filters'", errors.getvalue())
