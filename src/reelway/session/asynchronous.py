"""Sessions inside asyncio."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reelway.session.session import Session


async def run_in_thread(session: Session) -> bool:
    """`session.run()` in a thread; when the awaiting task is cancelled, the session stops with a flush."""
    with ThreadPoolExecutor(1, "reelway-session") as thread:  # not the loop's pool, which many would fill
        running = asyncio.get_running_loop().run_in_executor(thread, session.run)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError as cancelled:
            session.stop()
            await asyncio.wait([running])
            raise cancelled from running.exception()
