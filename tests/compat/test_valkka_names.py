"""What Valkka has by name: there, or saying what it waits for; any other names the nearest."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from reelway.compat.script import FACES, run_script
from reelway.compat.valkka import api2, core
from reelway.compat.valkka.later import LATER, LATER_AT_LEVEL_2, ComesLaterError

CORE = """
    SharedMemRingBuffer SharedMemRingBufferRGB SharedMemFrameFilter RGBShmemFrameFilter ShmemFrameFilter
    getNumpyShmem new_intp intp_value intp_assign copy_intp delete_intp RGB24Meta FrameFilter
    LiveThread AVThread OpenGLThread FrameFifo FifoFrameFilter ForkFrameFilter SwScaleFrameFilter
    TimeIntervalFrameFilter LiveConnectionContext LiveConnectionType_rtsp LiveConnectionType_sdp
    FileThread FileContext FileFrameFilter InfoFrameFilter BriefInfoFrameFilter GateFrameFilter
    SetSlotFrameFilter SwitchFrameFilter TypeFrameFilter DumpFrameFilter InitStreamFrameFilter
    ForkFrameFilter3 ForkFrameFilterN FrameFifoContext BlockingFifoFrameFilter
""".split()


def test_core_has_what_the_documents_use() -> None:
    assert [name for name in CORE if name not in core.__all__ or not hasattr(core, name)] == []


@pytest.mark.parametrize(
    ("module", "name"), [*((core, name) for name in LATER), *((api2, name) for name in LATER_AT_LEVEL_2)]
)
def test_what_comes_later_says_so(module: Any, name: str) -> None:
    kind = getattr(module, name)
    with pytest.raises(ComesLaterError, match=f"Valkka's {name} comes later: ") as caught:
        kind("name", 1, x=2)
    assert caught.value.hint
    with pytest.raises(ComesLaterError):
        type("Mine", (kind,), {})


def test_descriptors_come_later() -> None:
    ring = core.SharedMemRingBufferBase.__new__(core.SharedMemRingBufferBase)
    with pytest.raises(ComesLaterError, match="EventFd"):
        ring.clientUseFd(None)
    with pytest.raises(ComesLaterError, match="EventFd"):
        core.FrameFilter("x").useFd(None)


@pytest.mark.parametrize("module", ["core", "api2", "api2.threads"])
def test_another_name_gives_the_nearest(module: str) -> None:
    found = importlib.import_module(f"reelway.compat.valkka.{module}")
    with pytest.raises(AttributeError, match="'LiveThread'"):
        found.LiveTread  # noqa: B018
    assert "LiveThread" in dir(found)


def test_a_script_imports_it_as_it_imports_valkka(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from valkka.core import *\n"
        "import valkka.valkka_core\n"
        "from valkka.api2 import ShmemRGBClient\n"
        "from valkka.api2.threads import ShmemClient, LiveThread\n"
        "from valkka.api2.shmem import ShmemClient as same\n"
        "print(new_intp, valkka.valkka_core.new_intp is new_intp, same is ShmemClient)\n"
        "USBDeviceThread('usb')\n"
    )
    errors = (tmp_path / "errors").open("w+")
    with errors:
        assert run_script(script, errors=errors) == 1
        errors.seek(0)
        assert errors.read().startswith("mine.py:7: ComesLaterError: Valkka's USBDeviceThread comes later: ")
    assert capsys.readouterr().out.endswith("True True\n")


@pytest.mark.parametrize("name", [name for name in FACES if name.startswith("valkka")])
def test_faces_are_there(name: str) -> None:
    assert importlib.import_module(FACES[name]).__doc__


def test_reading_loads_no_av() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom reelway.compat.valkka.api2.threads import ShmemClient\n"
        "ShmemClient(name='none', n_bytes=10, mstimeout=1).pull()\nprint('av' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("False\n", "")
