"""What the elements behind an element ask of its output, found in the pipeline before anything is open."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelway.session.application.element import Element, Pad
    from reelway.session.application.pipeline import Pipeline

__all__ = ["asked_of", "asked_of_device", "coded_as", "stream_type_of"]

PASSING = frozenset(
    "queue queue2 multiqueue identity tee valve capsfilter videoconvert videoscale videoconvertscale "
    "nvvideoconvert nvvidconv videorate audioconvert audioresample volume level".split()
)
"""Elements through which a wish goes on upstream: what the source makes so, they need not change."""
CODED = {"image/jpeg": "mjpeg", "video/x-h264": "h264", "video/x-h265": "hevc"}
"""What cameras send coded, as caps and as FFmpeg call it."""


def asked_of(pipeline: Pipeline, element: Element) -> dict[str, Any]:
    """Options of its filter, by the caps filters behind it: a test source makes what is asked for."""
    wanted = element.kind.caps_options
    if not wanted:
        return {}
    fields: dict[str, Any] = {}
    here = element
    while len(behind := pipeline.consumers(here)) == 1:
        here = behind[0]
        if here.kind.name not in PASSING:
            break
        if here.kind.name == "capsfilter":
            for name, value in _fixed(str(here.values.get("caps", ""))).items():
                if name in wanted:
                    fields.setdefault(name, value)
    values = element.kind.caps_values
    return {wanted[name]: values.get(name, {}).get(str(value), value) for name, value in fields.items()}


def asked_of_device(pipeline: Pipeline, element: Element) -> dict[str, Any]:
    """Options of `live` by a caps filter straight behind a camera or a screen, which then gives just that.

    Further behind others can make it of what the device prefers. A screen has one size only, its own.
    """
    caps = _straight_behind(pipeline, element)
    fields = _fixed(caps)
    asked = {"fps": str(fields["framerate"])} if fields.get("framerate") else {}
    if element.kind.name == "v4l2src":
        if "width" in fields and "height" in fields:
            asked["size"] = f"{fields['width']}x{fields['height']}"
        if format := coded_as(pipeline, element) or fields.get("format"):
            asked["input_format"] = str(format)
    return asked


def coded_as(pipeline: Pipeline, element: Element) -> str:
    """The codec that a caps filter straight behind a camera asks for; empty: raw pictures, or any."""
    from reelway.graph.mediacaps import MediaCaps

    caps = _straight_behind(pipeline, element)
    if not caps or element.kind.name != "v4l2src":
        return ""
    (only,) = MediaCaps.parse(caps)
    return CODED.get(only.media, "")


def _straight_behind(pipeline: Pipeline, element: Element) -> str:
    """The text of caps that leave no choice; empty: there are none."""
    from reelway.graph.mediacaps import MediaCaps

    behind = pipeline.consumers(element)
    if len(behind) != 1 or behind[0].kind.name != "capsfilter":
        return ""
    caps = str(behind[0].values.get("caps", ""))
    return caps if caps and len(list(MediaCaps.parse(caps))) == 1 else ""


def _fixed(caps: str) -> dict[str, Any]:
    """The fields of the first structure of caps text: of choices the first, of ranges nothing."""
    from reelway.graph.mediacaps import Choices, MediaCaps
    from reelway.graph.mediaformats import PIXEL_FORMATS, SAMPLE_FORMATS

    formats: Mapping[Any, str] = {**PIXEL_FORMATS, **SAMPLE_FORMATS}
    first = next(iter(MediaCaps.parse(caps)), None) if caps else None
    fields: dict[str, Any] = {}
    for name, value in (first.fields if first is not None else {}).items():
        fixed = value.values[0] if isinstance(value, Choices) else value
        if isinstance(fixed, (int, float, str, Fraction)):
            fields[name] = formats.get(fixed, fixed) if name == "format" else fixed
    return fields


def stream_type_of(pipeline: Pipeline, sink: Pad) -> str:
    """What a branch that begins with `sink` is for: Visual, Audio or Text; empty where nothing says so."""
    seen: set[Element] = set()
    todo = [sink]
    while todo:
        pad = todo.pop(0)
        element = pad.element
        if found := _type_in_words(pad, element):
            return found
        if element in seen:
            continue
        seen.add(element)
        todo += [edge.sink for edge in pipeline.edges if edge.source.element is element]
    return ""


def _type_in_words(pad: Pad, element: Element) -> str:
    texts = [pad.template.caps]
    if element.kind.name == "capsfilter":
        texts = [str(element.values.get("caps", ""))]
    for text, kind in (("video/", "Visual"), ("image/", "Visual"), ("audio/", "Audio"), ("text/", "Text")):
        others = {"video/", "audio/", "text/"} - {text}
        if any(text in each and not any(other in each for other in others) for each in texts):
            return kind
    if "/Video" in element.kind.klass and "Mux" not in element.kind.klass and pad.template.caps == "ANY":
        return "Visual" if element.kind.role == "filter" else ""
    if "/Audio" in element.kind.klass and pad.template.caps == "ANY":
        return "Audio" if element.kind.role == "filter" else ""
    return ""
