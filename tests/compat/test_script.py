"""The script runner: what a script sees, what its end means, and how its errors look."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import reelway as rw
from reelway.cli import main
from reelway.compat.script import FACES, run_script


def script(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def errors_of(path: Path, *argv: str, code: int = 1) -> str:
    out = io.StringIO()
    assert run_script(path, argv, errors=out) == code
    return out.getvalue()


def test_it_runs_as_main_with_its_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = script(tmp_path, "import sys\nif __name__ == '__main__': print(sys.argv, __file__)\n")
    assert run_script(path, ["a", "--b=c"]) == 0
    assert capsys.readouterr().out == f"{[str(path), 'a', '--b=c']} {path}\n"


def test_it_imports_its_neighbours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script(tmp_path, "word = 'beside'\n", "neighbour_of_mine.py")
    assert run_script(script(tmp_path, "import neighbour_of_mine as n; print(n.word)\n")) == 0
    assert capsys.readouterr().out == "beside\n"
    del sys.modules["neighbour_of_mine"]


def test_libgpac_is_the_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script(script(tmp_path, "import libgpac as gpac; print(gpac.__name__, gpac.GF_EOS)\n")) == 0
    assert capsys.readouterr().out == "reelway.compat.libgpac 1\n"


def test_a_star_import_gives_all_names(tmp_path: Path) -> None:
    assert run_script(script(tmp_path, "from libgpac import *\nFilterSession, GF_OK, e2s, version\n")) == 0


def test_a_real_module_is_not_shadowed_unless_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script(tmp_path, "kind = 'real'\n", "libgpac.py")
    path = script(tmp_path, "import libgpac; print(getattr(libgpac, 'kind', 'face'))\n")
    assert run_script(path) == 0
    assert sys.modules.pop("libgpac").kind == "real"
    assert run_script(path, shadow=True) == 0
    assert capsys.readouterr().out == "real\nface\n"


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        (
            "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; found = Gst",
            "gstreamer",
        ),
        ("import gi.repository.GLib as found", "glib"),
        ("from gi.repository import GstApp as found, GLib", "app"),
        ("import gi; from gi import repository; found = repository.GObject", "gobject"),
        ("import pythiags.headless as found", "headless"),
        ("from pythiags.recorder import ring_buffer as found", "ring_buffer"),
        ("import pythiags as found", "pythiags"),
    ],
)
def test_gi_and_pythiags_are_faces_too(
    statement: str, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_script(script(tmp_path, f"{statement}\nprint(found.__name__)\n")) == 0
    assert capsys.readouterr().out.strip().rpartition(".")[2] == shown
    assert not set(FACES) & set(sys.modules)


def test_what_is_within_a_face_is_loaded_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "import pythiags, pythiags.recorder, pythiags.recorder.ring_buffer\n"
        "import reelway.compat.pythiags.recorder as same\n"
        "print(pythiags.recorder is same, pythiags.VideoRecorder is same.VideoRecorder)\n"
    )
    assert run_script(script(tmp_path, text)) == 0
    assert capsys.readouterr().out == "True True\n"


def test_nothing_of_a_face_is_put_into_a_real_installation(tmp_path: Path) -> None:
    real = tmp_path / "gi" / "repository"
    real.mkdir(parents=True)
    (tmp_path / "gi" / "__init__.py").write_text("kind = 'real'\n")
    (real / "__init__.py").write_text("")
    text = errors_of(script(tmp_path, "import gi\nassert gi.kind == 'real'\nfrom gi.repository import Gst\n"))
    assert "ImportError: cannot import name 'Gst' from 'gi.repository'" in text
    for name in ("gi", "gi.repository"):
        del sys.modules[name]


def test_a_namespace_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    lines = errors_of(script(tmp_path, "import gi\ngi.require_version('Gtk', '3.0')\n")).splitlines()
    assert lines[0] == "mine.py:2: NamespaceError: Namespace Gtk not available"
    assert lines[1].startswith("  hint: ")


def test_the_command_line_can_ask_for_shadowing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script(tmp_path, "kind = 'real'\n", "libgpac.py")
    path = script(tmp_path, "import libgpac, sys; print(getattr(libgpac, 'kind', 'face'), sys.argv[1:])\n")
    assert main(["script", "--shadow", str(path), "--shadow"]) == 0
    assert capsys.readouterr().out == "face ['--shadow']\n"
    assert main(["script", "--shadow"]) == 2
    assert "FILE.py must be given" in capsys.readouterr().err


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = sys.argv[:], sys.path[:], sys.meta_path[:]
    run_script(
        script(tmp_path, "import libgpac, sys; sys.argv.append('x'); sys.path.append('y'); sys.exit(4)\n")
    )
    assert (sys.argv, sys.path, sys.meta_path) == before
    assert not set(FACES) & set(sys.modules)


@pytest.mark.parametrize(
    ("ending", "code", "printed"),
    [
        ("", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(0)", 0, ""),
        ("sys.exit(7)", 7, ""),
        ("quit(3)", 3, ""),
        ("sys.exit('no way')", 1, "no way\n"),
        ("raise KeyboardInterrupt", 130, ""),
    ],
)
def test_exit_codes(ending: str, code: int, printed: str, tmp_path: Path) -> None:
    assert errors_of(script(tmp_path, f"import sys\n{ending}\n"), code=code) == printed


def test_the_scripts_own_exception_is_its_own_traceback(tmp_path: Path) -> None:
    path = script(tmp_path, "def deeper():\n    raise Exception('Failed to load source')\ndeeper()\n")
    text = errors_of(path)
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("Exception: Failed to load source\n")
    assert text.count("  File ") == 2
    assert "in deeper" in text
    assert "reelway" not in text
    assert "runpy" not in text


def test_causes_are_shown_without_foreign_frames(tmp_path: Path) -> None:
    path = script(tmp_path, "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n")
    text = errors_of(path)
    assert "KeyError: 'a'" in text
    assert "ValueError: b" in text
    assert "direct cause" in text
    assert "runpy" not in text


def test_a_syntax_error_shows_the_line(tmp_path: Path) -> None:
    text = errors_of(script(tmp_path, "print('a'\n"))
    assert "SyntaxError" in text
    assert "print('a'" in text


def test_an_error_of_reelway_is_one_line_with_its_place_and_hint(tmp_path: Path) -> None:
    path = script(tmp_path, "import libgpac as gpac\n\ngpac.rmt_enable(True)\n")
    text = errors_of(path)
    what = "libgpac's rmt_enable comes later: the remote monitor comes with reelway.serve"
    assert text == f"mine.py:3: ComesLaterError: {what}\n"


def test_a_callbacks_error_shows_the_scripts_frames_then_one_line(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "import libgpac as gpac\n"
        "class Broken(gpac.FilterCustom):\n"
        "    def __init__(self, session):\n"
        "        gpac.FilterCustom.__init__(self, session, 'broken')\n"
        "        self.push_cap('StreamType', 'Visual', gpac.GF_CAPS_OUTPUT)\n"
        "    def process(self):\n"
        "        return self.helper()\n"
        "    def helper(self):\n"
        "        return 1 / 0\n"
        "fs = gpac.FilterSession()\n"
        "Broken(fs)\n"
        "fs.run()\n",
    )
    text = errors_of(path)
    lines = text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line for line in lines if line.startswith("  File ")] == [
        f'  File "{path}", line 7, in process',
        f'  File "{path}", line 9, in helper',
    ]
    assert "ZeroDivisionError: division by zero" in lines
    assert lines[-1].startswith("mine.py:12: FilterError: filter 'broken' failed")


def test_an_error_of_the_world_is_one_line_without_its_inner_causes(tmp_path: Path) -> None:
    text = "import libgpac\nfs = libgpac.FilterSession()\nfs.load_src('gone.mp4')\nfs.load_dst('null')\n"
    lines = errors_of(script(tmp_path, text + "fs.run()\n")).splitlines()
    assert lines[0].startswith("mine.py:5: OpenError: gone.mp4: No such file")
    assert all(line.startswith("  hint: ") for line in lines[1:])


def test_a_missing_script_is_said(tmp_path: Path) -> None:
    with pytest.raises(rw.OpenError, match="no script at .*absent.py"):
        run_script(tmp_path / "absent.py")
