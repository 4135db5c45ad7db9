"""docs/libgpac.md tells everything that comes later."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelway.compat.libgpac.later import LATER

PAGE = (Path(__file__).parents[2] / "docs" / "libgpac.md").read_text()


@pytest.mark.parametrize("name", LATER)
def test_what_comes_later_is_listed(name: str) -> None:
    assert f"`{name}`" in PAGE
