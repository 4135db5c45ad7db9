"""`rw.launch`: a pipeline text, running."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from reelway.graph import placeholders
from reelway.graph.states import State
from reelway.session.application.application import Application
from reelway.session.application.build import build, check_linked

__all__ = ["launch"]

log = logging.getLogger("reelway.application")


def launch(
    text: str | os.PathLike[str],
    /,
    *,
    background: bool = True,
    start: bool = True,
    timeout_s: float | None = 30.0,
    threads: int | None = None,
    **values: Any,
) -> Application:
    """Runs a pipeline text; `{name}` and `{name:default}` in it are filled from `values`.

    text        in gst-launch's language; a path object is a file that holds one
    background  returns when every sink has its first packet (at once where an appsrc waits for the caller's),
                and goes on on a thread of its own; False: waits until it is over, as `app.wait()` does
    start       False: nothing is opened; `app.play()` does it
    timeout_s   how long it waits for the first packets; then it returns all the same, and the log says so
    threads     workers, as of `rw.Session`

    Raises PipelineError, which points at the place in the text, LinkError, OpenError, and whatever else
    keeps it from beginning; where it waits, also what it ended with.
    """
    written = Path(text).read_text("utf-8") if isinstance(text, os.PathLike) else text
    application = Application(build(placeholders.fill(written, values)), threads=threads)
    if not start:
        return application
    check_linked(application.pipeline)
    application.play()
    try:
        pushed = any(element.kind.name == "appsrc" for element in application.pipeline)
        begun = pushed or application.wait_for(State.PLAYING, timeout_s) or application.over.is_set()
        if not begun:
            log.warning("not every sink has got a packet in %g s; it goes on", timeout_s or 0.0)
        if not background:
            application.wait()
    except BaseException:
        application.stop()
        raise
    return application
