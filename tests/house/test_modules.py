"""How the package is laid out: sizes, docstrings, public names, light imports, the catalogue."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "reelway"

MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 500
LONG = {  # module: why it is one piece
}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def run_python(code: str) -> str:
    """What `code` prints in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_long_modules_have_a_reason() -> None:
    long = {name_of(path) for path in MODULES if len(path.read_text().splitlines()) > MOST_LINES}
    assert long == set(LONG), "split them, or say in LONG why not; and drop from LONG what is short again"


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=name_of)
def test_package_says_what_it_holds(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "say what it holds and what must never live there"


def test_every_folder_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert not [name_of(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_all_is_what_is_visible() -> None:
    code = """if True:
        import reelway, types
        names = reelway.__all__
        assert list(names) == list(dict.fromkeys(names)), "a name stands twice in __all__"
        visible = {name for name in dir(reelway) if not name.startswith("_")}
        rooms = {name for name in visible if f"reelway.{name}" in __import__("sys").modules}
        print("hidden:", sorted(visible - rooms - set(names)))
        print("missing:", sorted(set(names) - set(dir(reelway))))
        print("broken:", [name for name in names if not hasattr(reelway, name)])
    """
    assert run_python(code) == "hidden: []\nmissing: []\nbroken: []\n"


@pytest.mark.parametrize("heavy", ["av", "lark", "numpy", "rich", "typer"])
def test_import_is_light(heavy: str) -> None:
    assert run_python(f"import reelway, sys; print({heavy!r} in sys.modules)") == "False\n"
