"""playbin: pictures go to a window and sound aloud, as the streams of an address appear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reelway.session.application.element import Element, Pad, make_element

if TYPE_CHECKING:
    from reelway.session.application.pipeline import Pipeline

__all__ = ["KINDS", "Player"]

KINDS = ("playbin", "playbin3")

_CHAINS = {
    "Visual": ("video", ("videoconvert",), "autovideosink"),
    "Audio": ("audio", ("audioconvert", "audioresample", "volume"), "autoaudiosink"),
}
"""Type of stream -> what the properties call it, the elements that it goes through, and its sink."""


class Player:
    """Puts converters and a sink behind the first stream of each type. One for each opening of a pipeline."""

    def __init__(self, pipeline: Pipeline, element: Element) -> None:
        self._pipeline, self._element = pipeline, element
        self._made: list[Element] = []
        self._played: set[str] = set()
        self._volume: Element | None = None
        self._undo = [element.connect("pad-added", self._appeared)]
        for name in ("volume", "mute"):
            self._undo.append(element.connect(f"notify::{name}", self._changed))

    def forget(self) -> None:
        """The pipeline is closed: what was put in goes, so that another opening begins anew."""
        for undo in self._undo:
            undo()
        inside = [element for element in self._made if element.pipeline is self._pipeline]
        self._pipeline.remove(*inside)

    def _appeared(self, _element: Element, pad: Pad) -> None:
        stream_type = str(pad.stream.get("StreamType"))
        if stream_type not in _CHAINS or stream_type in self._played:
            return
        word, kinds, sink = _CHAINS[stream_type]
        flags = self._element.values.get("flags")
        if flags is not None and word not in str(flags).split("+"):
            return
        self._played.add(stream_type)
        chain = [make_element(kind) for kind in kinds] + [self._sink(word, sink)]
        self._pipeline.add(*chain)
        self._made += chain
        if word == "audio":
            self._volume = chain[-2]
            self._changed()
        self._pipeline.chain(*chain)
        self._pipeline.link(pad, chain[0])

    def _sink(self, word: str, usual: str) -> Element:
        """What the property video-sink or audio-sink says: an element, or the name of a kind."""
        said = self._element.values.get(f"{word}-sink")
        return said if isinstance(said, Element) else make_element(said or usual)

    def _changed(self, *_what: Any) -> None:
        if self._volume is not None:
            self._volume.set("volume", self._element.get("volume"))
            self._volume.set("mute", self._element.get("mute"))
