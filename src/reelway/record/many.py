"""`Recorders`: one object for many streams."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from reelway.errors import StateError, UnknownNameError
from reelway.record.recorder import Recorder
from reelway.record.recording import Recording, RecordingInfo

__all__ = ["Recorders"]


class Recorders(Mapping[Hashable, Recorder]):
    """Recorders by the name or number of their source; streams come and go while the session runs.

    session    as for a Recorder
    sources    name or number -> filter, streams of one, PID, or name of an element
    filename   a template, in which {name} is the source's, or a function of that
    options    of each Recorder; `on_finished` and `on_failed` are called with the source in front
    """

    def __init__(
        self,
        session: Any,
        sources: Mapping[Any, Any],
        filename: Callable[[Any], str] | str,
        *,
        on_finished: Callable[[Any, str, RecordingInfo], None] | None = None,
        on_failed: Callable[[Any, str, Exception], None] | None = None,
        **options: Any,
    ) -> None:
        self._session = session
        self._filename = filename
        self._on_finished = on_finished
        self._on_failed = on_failed
        self._options = options
        self._recorders: dict[Hashable, Recorder] = {}
        for source_id, source in sources.items():
            self.add(source_id, source)

    def add(self, source_id: Any, source: Any) -> Recorder:
        """One more stream. Raises StateError where that name has one, and as `Recorder` does."""
        if source_id in self._recorders:
            raise StateError(f"{source_id!r} has a recorder already", hint="remove() it first")
        filename, finished, failed = self._filename, self._on_finished, self._on_failed
        made = self._recorders[source_id] = Recorder(
            self._session,
            source,
            filename if isinstance(filename, str) else lambda: filename(source_id),
            on_finished=None if finished is None else lambda path, info: finished(source_id, path, info),
            on_failed=None if failed is None else lambda path, error: failed(source_id, path, error),
            name=str(source_id),
            **self._options,
        )
        return made

    def remove(self, source_id: Any, timeout_s: float | None = 10.0) -> None:
        """Takes the recorder of one stream out, and waits so long for its files. Raises UnknownNameError."""
        self[source_id].close(timeout_s)
        del self._recorders[source_id]

    def record(self, source_id: Any, metadata: Any = None, **options: Any) -> Recording:
        """`Recorder.record()` of one stream. Raises UnknownNameError, and as that does."""
        return self[source_id].record(metadata, **options)

    def stop(self) -> None:
        """Ends what is being recorded at this moment."""
        for recorder in self._recorders.values():
            recorder.stop()

    @property
    def busy(self) -> bool:
        """Something is being recorded, or written."""
        return any(recorder.busy for recorder in self._recorders.values())

    def __getitem__(self, source_id: Any) -> Recorder:
        found = self._recorders.get(source_id)
        if found is None:
            raise UnknownNameError.of("source with a recorder", str(source_id), map(str, self._recorders))
        return found

    def __iter__(self) -> Iterator[Hashable]:
        return iter(tuple(self._recorders))

    def __len__(self) -> int:
        return len(self._recorders)
