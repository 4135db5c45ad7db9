"""`rw.run(src, dst)`: the main job in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelway.graph.filter import Filter
from reelway.session.session import Session

if TYPE_CHECKING:
    from reelway.runtime.statistics import Statistics


def run(
    src: Any,
    dst: Any,
    *filters: Filter | type[Filter] | str,
    video: str = "",
    audio: str = "",
    progress: bool = False,
    **session: Any,
) -> Statistics:
    """Reads `src`, passes its streams through `filters` in order, writes `dst`.

    src, dst      URL, path or Python file object
    filters       Filter objects, decorated functions, or texts such as "reframer:saps=1"; a stream that one
                  does not accept goes around it
    video, audio  what is written: an encoder and its options, as in "libx264:preset=fast", or "copy"
    session       what `Session()` takes

    Nothing is decoded unless a filter, or one of these, asks for it. Raises ReelwayError; files are closed
    either way.
    """
    with Session(**session) as running:
        source = running.load_src(src)
        middle = [running.load(each) if isinstance(each, str) else running.add(each) for each in filters]
        told = {name: text for name, text in (("video", video), ("audio", audio)) if text}
        running.chain(source, *middle, running.load_dst(dst, **told))
        running.run(progress=progress)
        return running.statistics()
