"""Tags: what a file says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reelway.compat.gst.values import result

__all__ = ["TAGS", "TagList"]

TAGS = {
    "ALBUM": "album",
    "ARTIST": "artist",
    "AUDIO_CODEC": "audio-codec",
    "BITRATE": "bitrate",
    "CODEC": "codec",
    "COMMENT": "comment",
    "COMPOSER": "composer",
    "CONTAINER_FORMAT": "container-format",
    "COPYRIGHT": "copyright",
    "DATE": "date",
    "DATE_TIME": "datetime",
    "DESCRIPTION": "description",
    "DURATION": "duration",
    "ENCODER": "encoder",
    "GENRE": "genre",
    "IMAGE": "image",
    "IMAGE_ORIENTATION": "image-orientation",
    "LANGUAGE_CODE": "language-code",
    "MAXIMUM_BITRATE": "maximum-bitrate",
    "MINIMUM_BITRATE": "minimum-bitrate",
    "NOMINAL_BITRATE": "nominal-bitrate",
    "ORGANIZATION": "organization",
    "SUBTITLE_CODEC": "subtitle-codec",
    "TITLE": "title",
    "TRACK_COUNT": "track-count",
    "TRACK_NUMBER": "track-number",
    "VIDEO_CODEC": "video-codec",
}
"""TAG_TITLE of Gst and so on, without TAG_."""


class TagList:
    """Tags by name, each with one value or several."""

    def __init__(self, tags: Mapping[str, Any] | None = None) -> None:
        self._tags: dict[str, list[Any]] = {name: [value] for name, value in (tags or {}).items()}

    @classmethod
    def new_empty(cls) -> TagList:
        """Without tags."""
        return cls()

    def add_value(self, mode: int, tag: str, value: Any) -> None:
        """Adds a value; with `TagMergeMode.REPLACE` in the place of those that are there."""
        held = value.get_value() if type(value).__name__ == "Value" else value
        if int(mode) in (1, 2):
            self._tags[tag] = []
        self._tags.setdefault(tag, []).append(held)

    def n_tags(self) -> int:
        """How many tags."""
        return len(self._tags)

    def nth_tag_name(self, index: int) -> str:
        """The name of one."""
        return list(self._tags)[index]

    def get_tag_size(self, tag: str) -> int:
        """How many values a tag has."""
        return len(self._tags.get(tag, ()))

    def get_value_index(self, tag: str, index: int) -> Any:
        """One value of a tag; None where there is none."""
        values = self._tags.get(tag, [])
        return values[index] if 0 <= index < len(values) else None

    def is_empty(self) -> bool:
        """There are none."""
        return not self._tags

    def foreach(self, func: Callable[..., Any], *user_data: Any) -> None:
        """Calls func(list, name, *user_data) for each tag."""
        for name in list(self._tags):
            func(self, name, *user_data)

    def _get(self, tag: str, kinds: Any, nothing: Any, index: int = 0) -> Any:
        value = self.get_value_index(tag, index)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        return result(". value", fits, value if fits else nothing)

    def get_string(self, tag: str) -> Any:
        """(True, text), or (False, None)."""
        return self._get(tag, str, None)

    def get_string_index(self, tag: str, index: int) -> Any:
        """(True, text), or (False, None)."""
        return self._get(tag, str, None, index)

    peek_string_index = get_string_index

    def get_uint(self, tag: str) -> Any:
        """(True, number), or (False, 0)."""
        return self._get(tag, int, 0)

    get_int = get_uint64 = get_int64 = get_uint

    def get_double(self, tag: str) -> Any:
        """(True, number), or (False, 0.0)."""
        return self._get(tag, float, 0.0)

    get_float = get_double

    def copy(self) -> TagList:
        """Another like it."""
        made = TagList()
        made._tags = {name: list(values) for name, values in self._tags.items()}
        return made

    def insert(self, other: TagList, _mode: int) -> None:
        """The tags of another."""
        self._tags |= other.copy()._tags

    def merge(self, list2: TagList | None, mode: int) -> TagList:
        """Both together."""
        made = self.copy()
        if list2 is not None:
            made.insert(list2, mode)
        return made

    def to_string(self) -> str:
        """As text."""
        said = (
            f"{name}={'; '.join(_shown(value) for value in values)}" for name, values in self._tags.items()
        )
        return ", ".join(["taglist", *said]) + ";"

    __str__ = to_string


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return '(string)"' + value.replace('"', '\\"') + '"'
    return f"(uint){value}" if isinstance(value, int) else f"({type(value).__name__}){value}"
