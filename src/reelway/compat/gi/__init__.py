"""The face of PyGObject's `gi`, as far as programs of GStreamer use it. What its namespaces hold: compat.gst.

Never here: anything but finding namespaces and their versions.
"""

from __future__ import annotations

import reelway as rw

__all__ = [
    "PyGIDeprecationWarning",
    "PyGIWarning",
    "check_version",
    "get_required_version",
    "require_version",
    "require_versions",
    "version_info",
]

__version__ = "3.42.2"
version_info = (3, 42, 2)
"""Of the binding whose face this is."""

VERSIONS = {
    "GLib": "2.0",
    "GObject": "2.0",
    "Gst": "1.0",
    "GstApp": "1.0",
    "GstAudio": "1.0",
    "GstBase": "1.0",
    "GstVideo": "1.0",
}
"""Namespace -> the version that is here."""

_required: dict[str, str] = {}


class PyGIDeprecationWarning(DeprecationWarning):
    """Never raised here; programs name it to silence it."""


class PyGIWarning(Warning):
    """Never raised here; programs name it to silence it."""


class NamespaceError(rw.UnsupportedError, ValueError, ImportError):
    """A namespace, or a version of one, that is not there."""


def unknown_namespace(namespace: str) -> NamespaceError:
    """The error for a namespace that this face does not have."""
    known = ", ".join(VERSIONS)
    near = rw.UnknownNameError.nearest(namespace, VERSIONS)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return NamespaceError(f"Namespace {namespace} not available", hint=f"{hint}there are {known}")


def require_version(namespace: str, version: str) -> None:
    """Says which version a program wants. Raises ValueError where that is not there."""
    if not isinstance(version, str):
        raise ValueError("Namespace version needs to be a string.")
    if namespace not in VERSIONS:
        raise unknown_namespace(namespace)
    if version != VERSIONS[namespace]:
        raise NamespaceError(
            f"Namespace {namespace} not available for version {version}",
            hint=f"it is there in version {VERSIONS[namespace]}",
        )
    _required[namespace] = version


def require_versions(versions: dict[str, str]) -> None:
    """`require_version()` of several."""
    for namespace, version in versions.items():
        require_version(namespace, version)


def get_required_version(namespace: str) -> str | None:
    """The version that was required, where one was."""
    return _required.get(namespace)


def check_version(version: str | tuple[int, ...]) -> None:
    """Raises ValueError where this face stands for an older binding."""
    wanted = tuple(int(part) for part in version.split(".")) if isinstance(version, str) else tuple(version)
    if wanted > version_info:
        raise ValueError(f"pygobject's version {wanted} required, and available is {version_info}")


def require_foreign(namespace: str, _symbol: str | None = None) -> None:
    """Raises: there are no foreign structures here."""
    raise NamespaceError(f"no foreign structures of {namespace}")
