"""The face of Valkka: cameras, chains of filters, shared frames. Never here: sockets, memory, media work.

    core, valkka_core       what Valkka wraps of C++, in one flat module
    api2, api2.threads      its clients in Python
    live, files             threads that send what is coded: of cameras, of files
    outbound                what a LiveThread sends into the net
    decoding, screen        threads that take it: decoded, or shown
    fifo, work              what is between them, and the session that each of them runs
    frames                  what goes through chains
    branches, info, scale   frame filters; recording and filters (rings) are ends of chains
    ring, element           ring buffers, and what is pulled from them
    later                   names whose work comes later, and say so

`reelway script` gives this package to scripts that import `valkka`. The names are those of the documents'
version and of the last one; where both have a form of their own, the arguments tell them apart.
"""

from __future__ import annotations

__all__: list[str] = []
__version__ = "1.6.1"
"""Of the system whose face this is."""
