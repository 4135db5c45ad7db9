"""`rw.launch`: a pipeline text, running."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from reelway.graph import placeholders
from reelway.graph.states import State
from reelway.session.application.application import Application
from reelway.session.application.build import build, check_linked

__all__ = ["launch"]


def launch(
    text: str | os.PathLike[str],
    /,
    *,
    background: bool = True,
    start: bool = True,
    threads: int | None = None,
    **values: Any,
) -> Application:
    """Runs a pipeline text; `{name}` and `{name:default}` in it are filled from `values`.

    text        in gst-launch's language; a path object is a file that holds one
    background  returns when every sink has its first packet (at once where an appsrc waits for the caller's),
                and goes on on a thread of its own; False: waits until it is over, as `app.wait()` does
    start       False: nothing is opened; `app.play()` does it
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
        if not any(element.kind.name == "appsrc" for element in application.pipeline):
            application.wait_for(State.PLAYING)  # else it waits for what the caller pushes then
        if not background:
            application.wait()
    except BaseException:
        application.stop()
        raise
    return application
