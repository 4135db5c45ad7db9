"""Sessions inside asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelway.session.session import Session


async def run_in_thread(session: Session) -> bool:
    """`session.run()` in a thread; when the awaiting task is cancelled, the session stops with a flush."""
    running = asyncio.ensure_future(asyncio.to_thread(session.run))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        session.stop()
        await asyncio.wait([running])
        raise
