"""The catalogue is strings; this is what imports each one of them."""

from __future__ import annotations

import inspect

import pytest

from reelway import catalog


@pytest.mark.parametrize("name", catalog.FILTERS)
def test_entry_imports_and_says_what_it_does(name: str) -> None:
    found = catalog.find(name)
    assert f"{found.__module__}:{found.__name__}" == catalog.FILTERS[name], "name the module that defines it"
    assert inspect.getdoc(found), "a filter's docstring is its help"


def test_aliases_lead_to_filters_and_hide_none() -> None:
    assert set(catalog.ALIASES.values()) <= set(catalog.FILTERS)
    assert not set(catalog.ALIASES) & set(catalog.FILTERS)


def test_the_resolver_is_given_filters_only() -> None:
    assert set(catalog.CONVERTERS) <= set(catalog.FILTERS)
