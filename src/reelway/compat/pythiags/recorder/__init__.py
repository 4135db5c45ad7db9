"""`VideoRecorder` and what belongs to it: it comes with recording of events. Never here: media work."""

from __future__ import annotations

from typing import Any, NoReturn

from reelway.compat.libgpac.later import ComesLaterError

__all__ = ["VideoRecorder"]


class VideoRecorder:
    """Records a clip around an event, from before it. It may be inherited from; making one raises."""

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        raise later(type(self).__name__)

    def record(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Begins a clip, or makes it longer. Raises ComesLaterError."""
        raise later(type(self).__name__)

    @property
    def busy(self) -> bool:
        """True while a clip is written. Raises ComesLaterError."""
        raise later(type(self).__name__)


def later(name: str) -> ComesLaterError:
    """The error for what comes with recording."""
    return ComesLaterError(
        f"pythiags' {name} comes later: recording of events comes with reelway.record",
        hint="until then: app.application.pipeline.branch('queue ! x264enc ! mp4mux ! filesink ...', tee)",
    )
