"""Profiles: files of options, in TOML."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from reelway.errors import FormatError, OpenError


def read_profile(profile: str | os.PathLike[str]) -> dict[str, Any]:
    """Option -> value from a TOML file: a path, or NAME for `reelway/NAME.toml` in the configuration folder.

    Raises OpenError where there is none, FormatError where it is not a flat table of options.
    """
    path = Path(profile)
    if not path.suffix and not path.exists():
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        path = Path(base) / "reelway" / f"{path.name}.toml"
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OpenError(f"no profile {path}: {error.strerror}", url=str(path), errno=error.errno) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"profile {path}: {error}") from None
    nested = [name for name, value in values.items() if isinstance(value, dict)]
    if nested:
        raise FormatError(
            f"profile {path}: {nested[0]} is a table", hint="a profile is a list of option = value"
        )
    return values
