"""docs/elements.md says what the tables say."""

from __future__ import annotations

from reelway.elements.table import _TABLES
from tools import elements_page


def test_the_page_is_that_of_the_tables() -> None:
    assert elements_page.PAGE.read_text() == elements_page.page(), "run tools/elements_page.py"


def test_every_table_has_its_place() -> None:
    assert {*(table for tables in elements_page.TITLES.values() for table in tables), "missing"} == set(
        _TABLES
    )
