"""Names of libgpac that exist here and whose work comes later: using one says so."""

from __future__ import annotations

from typing import Any, NoReturn

import reelway as rw

__all__ = ["LATER", "ComesLaterError", "comes_later", "later_class", "later_function"]

LATER = {
    "DASHCustomAlgorithm": "your own DASH and HLS adaptation comes with reelway.adaptive",
    "DASHGroup": "your own DASH and HLS adaptation comes with reelway.adaptive",
    "DASHGroupDownloadStatistics": "your own DASH and HLS adaptation comes with reelway.adaptive",
    "DASHGroupStatistics": "your own DASH and HLS adaptation comes with reelway.adaptive",
    "DASHQualityInfo": "your own DASH and HLS adaptation comes with reelway.adaptive",
    "DASHSRD": "your own DASH and HLS adaptation comes with reelway.adaptive",
    "Filter.bind": "binding to dashin comes with reelway.adaptive, to httpout with reelway.serve",
    "HTTPOutRequest": "answering HTTP requests in Python comes with reelway.serve",
    "FilterSession.http_bitrate": "counting HTTP downloads comes with reelway.adaptive",
    "FilterSession.http_max_bitrate": "limiting HTTP downloads comes with reelway.adaptive",
    "FileIO": "files that Python reads and writes come with the custom input and output of reelway.engine",
    "GLTextureInfo": "OpenGL textures come with reelway.display",
    "FilterPacket.get_gl_texture": "OpenGL textures come with reelway.display",
    "FilterSession.external_opengl_provider": "OpenGL textures come with reelway.display",
    "set_rmt_fun": "the remote monitor comes with reelway.serve",
    "rmt_send": "the remote monitor comes with reelway.serve",
    "rmt_on": "the remote monitor comes with reelway.serve",
    "rmt_enable": "the remote monitor comes with reelway.serve",
}
"""Name -> what it waits for. `Class.name` is a method or attribute of a class that is there."""


class ComesLaterError(rw.UnsupportedError):
    """A name of libgpac that Reelway knows, and whose work is not built yet."""


def comes_later(name: str, why: str = "") -> ComesLaterError:
    """The error for `name`, which is a key of LATER unless `why` is said."""
    return ComesLaterError(f"libgpac's {name} comes later: {why or LATER[name]}")


def later_function(name: str) -> Any:
    """A function that raises; it takes whatever libgpac's takes."""

    def function(*_args: object, **_named: object) -> NoReturn:
        raise comes_later(name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Raises: {LATER[name]}."
    return function


class _Later(type):
    """A class that can be named, and neither made nor inherited from."""

    def __call__(cls, *_args: object, **_named: object) -> NoReturn:
        raise comes_later(cls.__name__)


def later_class(name: str) -> Any:
    """A class that raises when it is made or inherited from."""

    def refuse(_heir: type, **_named: object) -> NoReturn:
        raise comes_later(name)

    return _Later(name, (), {"__doc__": f"Raises: {LATER[name]}.", "__init_subclass__": refuse})
