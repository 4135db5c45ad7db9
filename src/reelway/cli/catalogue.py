"""`reelway filters`: what there is, from the filters' own declarations."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Sequence

from reelway import catalog
from reelway.cli.outcome import DONE
from reelway.cli.statistics import columns
from reelway.errors import ReelwayError
from reelway.graph.caps import Caps
from reelway.graph.caps import describe as describe_values
from reelway.graph.filter import Filter
from reelway.graph.option import Option
from reelway.graph.option import describe as describe_option

__all__ = ["describe", "list_all"]

THREADS = {
    "session": "runs on the session's thread",
    "pool": "runs on the pool of threads for heavy work",
    "own": "runs on a thread of its own",
}


def list_all() -> int:
    """Every filter, one a line."""
    also: dict[str, list[str]] = {}
    for alias, name in catalog.ALIASES.items():
        also.setdefault(name, []).append(alias)
    rows = [["filter", "what it does"]]
    for name in catalog.names():
        names = ", ".join([name, *sorted(also.get(name, []))])
        try:
            rows.append([names, _first_line(catalog.find(name))])
        except (ImportError, ReelwayError) as error:
            rows.append([names, f"(cannot be loaded here: {error})"])
    print("\n".join(columns(rows)))
    return DONE


def describe(name: str) -> int:
    """One filter. Raises UnknownNameError that names the near ones."""
    found = catalog.find(name)
    aliases = sorted(
        alias for alias, target in catalog.ALIASES.items() if target in (name, found.registry_name)
    )
    print(found.registry_name or name, *(["also called", ", ".join(aliases)] if aliases else []))
    print()
    for line in (inspect.getdoc(found) or "").splitlines():
        print(f"  {line}".rstrip())
    print()
    print(f"  accepts   {_bundles(found.inputs, 'nothing: it is a source')}")
    print(f"  produces  {_bundles(found.outputs, 'nothing: it is a sink')}")
    thread = found.__dict__.get("thread", found.thread)
    if isinstance(thread, str):
        print(f"  thread    {THREADS.get(thread, thread)}")
    options = found.options()
    inherited = Filter.options()
    own = [option for option in options.values() if option.name not in inherited]
    if own:
        print("\noptions")
        _print(own)
    print("\noptions that every filter has")
    _print([option for option in options.values() if option.name in inherited])
    return DONE


def _print(options: Sequence[Option]) -> None:
    for option in options:
        head, _, text = describe_option(option).partition("): ")
        print(f"  {head}{')' if text else ''}")
        if option.aliases:
            print(f"      also {', '.join(option.aliases)}")
        if text:
            print(textwrap.fill(text, 100, initial_indent=" " * 6, subsequent_indent=" " * 6))


def _bundles(bundles: Sequence[Caps], none: str) -> str:
    if not bundles:
        return none
    texts = (
        ", ".join(f"{name} {describe_values(value)}" for name, value in caps.items()) for caps in bundles
    )
    return "\n            or ".join(text or "any stream" for text in texts)


def _first_line(found: type[Filter]) -> str:
    return (inspect.getdoc(found) or "").partition("\n")[0]
