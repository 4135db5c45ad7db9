"""The face of Valkka: frames shared between processes. Never here: sockets, memory, media work.

    core, valkka_core       what Valkka wraps of C++: ring buffers, pointers, frame filters
    api2, api2.threads      its clients in Python
    ring, element, filters  what these are made of
    later                   names whose work comes later, and say so

`reelway script` gives this package to scripts that import `valkka`. The names are those of the documents'
version and of the last one; where both have a form of their own, the arguments tell them apart.
"""

from __future__ import annotations

__all__: list[str] = []
__version__ = "1.6.1"
"""Of the system whose face this is."""
