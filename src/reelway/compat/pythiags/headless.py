"""`Standalone`: a pipeline text, running."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import reelway as rw
from reelway.compat.gst.bins import Pipeline
from reelway.compat.gst.elements import face_of_pad
from reelway.graph import placeholders
from reelway.graph.states import State
from reelway.session.application.application import Application
from reelway.session.application.build import build
from reelway.session.application.metadata import Extraction, load_code

__all__ = ["Standalone", "logger"]

logger = logging.getLogger("pythiags")
"""For programs that log as pythiags does."""

Extractions = Mapping[str, tuple[Any, Any]]


class Standalone:
    """A pipeline with metadata extraction: {element name: (producer, consumer or None)}.

    pipeline      a Gst.Pipeline
    application   the same as Reelway has it
    extractions   by element name, with their counters
    """

    def __init__(
        self,
        pipeline: str | Pipeline,
        metadata_extraction_map: Extractions | None = None,
        *,
        background: bool = False,
        **values: Any,
    ) -> None:
        """`pipeline`: a text, whose {placeholders} `values` fill, or a Gst.Pipeline. Nothing runs yet."""
        if isinstance(pipeline, str):
            core = build(placeholders.fill(pipeline, values))
            pipeline = Pipeline()
            pipeline.adopt(core)
        elif values:
            raise rw.OptionError(f"a pipeline has no {next(iter(values))!r}", hint="values fill a text")
        self.pipeline = pipeline
        self.background = background
        self._map = dict(metadata_extraction_map or {})
        self.extractions: dict[str, Extraction] = {}

    @classmethod
    def build_and_run(
        cls,
        pipeline_string: str,
        metadata_extraction_map: Extractions | None = None,
        background: bool = False,
        *,
        obs: str | None = None,
        ext: Any = None,
        proc: Any = None,
        **values: Any,
    ) -> Self:
        """Runs a text; in the background it is running when this returns, else it is over.

        `obs` names an element, `ext` and `proc` its producer and consumer: objects, classes, or
        "module:Name". Further keywords fill the text's placeholders. Raises PipelineError and what else keeps
        it from beginning; where it waits, also what it ended with.
        """
        extractions = dict(metadata_extraction_map or {})
        if (obs is None) != (ext is None):
            raise rw.OptionError("obs and ext belong together", hint="obs names an element, ext its producer")
        if obs is not None:
            extractions[obs] = (ext, proc)
        made = cls(pipeline_string, extractions, background=background, **values)
        made(background=background)
        return made

    @classmethod
    def cli_run(cls, pipeline_string: str, background: bool = False, **values: Any) -> Self:
        """`build_and_run()`."""
        return cls.build_and_run(pipeline_string, background=background, **values)

    @property
    def application(self) -> Application:
        """What runs."""
        return self.pipeline._root().application

    def __call__(self, background: bool | None = None, **_ignored: Any) -> None:
        """Runs it: returns when every sink has its first buffer; not in the background, when it is over."""
        try:
            for name, (producer, consumer) in self._map.items():
                self.extractions[name] = self._extraction(name, producer, consumer)
            self.application.play()
            self.application.wait_for(State.PLAYING)
            if not (self.background if background is None else background):
                self.wait()
        except BaseException:
            self.stop()
            raise

    run = __call__

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until it is over; False: it is not, after `timeout_s`. Raises what it ended with."""
        over = self.application.wait(timeout_s)
        if over:
            self.stop()
        return over

    join = wait

    def stop(self) -> None:
        """Closes everything; what was found still gets to the consumers, up to a deadline."""
        for extraction in self.extractions.values():
            extraction.close()
        self.application.stop()

    terminate = stop

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _extraction(self, name: str, producer: Any, consumer: Any) -> Extraction:
        element = self.pipeline.get_by_name(name)
        if element is None:
            known = [each.get_name() for each in self.pipeline.iterate_recurse()]
            raise rw.UnknownNameError.of("element of this pipeline", name, known)
        outputs = element._pad_faces("src") or element._pad_faces("sink")
        if not outputs:
            raise rw.OptionError(f"{name} has no pad", hint="name an element that something passes through")
        extract = _made(producer, "extract_metadata")
        consume = _made(consumer, "incoming") if consumer is not None else None
        return Extraction(face_of_pad(outputs[0].target_core())._core, extract, consume)


def _made(code: Any, method: str) -> Any:
    """The method of a producer or consumer, which may be an object, a class, "module:Name", or a function."""
    from reelway.compat.pythiags.producer import _in_gst_words

    found = load_code(code) if isinstance(code, str) else code
    found = found() if isinstance(found, type) else found
    bound = getattr(found, method, found)
    if not callable(bound):
        raise rw.OptionError(f"{code!r} cannot be called", hint=f"a function, or a class with {method}()")
    if method == "extract_metadata":
        spoken = _in_gst_words(lambda _self, pad, info: bound(pad, info))
        return lambda pad, packet: spoken(None, pad, packet)
    return bound
