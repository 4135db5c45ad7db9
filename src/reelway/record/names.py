"""The paths of files: from a template, or from a function."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from reelway.errors import OptionError

__all__ = ["Filename", "checked", "path_of"]

Filename = Callable[[], str | os.PathLike[str]] | str | os.PathLike[str]
FIELDS = "{time}, {number} and {name}"


def checked(filename: Filename) -> Callable[[], Any] | str:
    """A function, or the text of a template that can be filled. Raises OptionError."""
    if callable(filename):
        return filename
    template: Any = os.fspath(filename) if hasattr(filename, "__fspath__") else filename
    if not isinstance(template, str):
        raise OptionError(
            f"{filename!r} names no files", hint=f"give a function, or a template, which has {FIELDS}"
        )
    path_of(template, 1, "name")
    return str(template)


def path_of(filename: Callable[[], Any] | str, number: int, name: str) -> str:
    """Of the next file; in a template `name` makes no folders, and leads to none. Raises OptionError, and
    whatever a function raises."""
    if callable(filename):
        given = filename()
        if not isinstance(given, str | os.PathLike) or not isinstance(os.fspath(given), str):
            raise OptionError(
                f"the function that names files gave {given!r}", hint="it has to return the path of one"
            )
        path = str(os.fspath(given))
    else:
        try:
            path = filename.format(time=datetime.now(UTC), number=number, name=_plain(name))
        except (LookupError, ValueError, AttributeError, TypeError) as error:
            what = f"there is no {error}" if isinstance(error, LookupError) else str(error)
            raise OptionError(
                f"the file name {filename!r} cannot be filled: {what}",
                hint=f"there is {FIELDS}; braces of one's own are doubled",
            ) from None
    if "\0" in path:
        raise OptionError(f"{path!r} is no file name", hint="leave out the character 0")
    return path


def _plain(name: str) -> str:
    """As part of a path: a source may be called by its address, or by what a client says."""
    name = re.sub(r"[/\\\0]", "_", name)
    return name if name.strip(".") else "_" * len(name)
