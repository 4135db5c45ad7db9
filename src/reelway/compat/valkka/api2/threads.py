"""`valkka.api2.threads`: where the documents' version has its clients. It has what `valkka.api2` has."""

from __future__ import annotations

from typing import Any

from reelway.compat.valkka import api2

__all__ = [*api2.__all__]  # noqa: PLE0604 (what loads is what there is)


def __getattr__(name: str) -> Any:
    return getattr(api2, name)


def __dir__() -> list[str]:
    return dir(api2)
