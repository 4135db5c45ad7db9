"""Which of a source's streams a pad stands for, when the text is written before they are known."""

from __future__ import annotations

from collections.abc import Mapping

from reelway.graph.select import Selector

__all__ = ["StreamChoice"]


class StreamChoice(Selector):
    """The nth stream of a type, or the first that no other pad of the element wants.

    Once it has matched a stream it matches that one only: each stream leaves by one pad.
    """

    stream_type: str
    nth: int
    others: list[StreamChoice]
    taken: str

    @classmethod
    def make(cls, stream_type: str, nth: int, others: list[StreamChoice]) -> StreamChoice:
        """`stream_type`: "Visual", "Audio", "Text"; empty: any. `others`: all of the element."""
        choice = cls()
        choice.stream_type, choice.nth, choice.others, choice.taken = stream_type, nth, others, ""
        others.append(choice)
        return choice

    def matches(self, properties: Mapping[str, object], name: str = "", ordinal: int = 1) -> bool:
        if self.taken:
            return self.taken == name
        if not self._wants(properties, ordinal):
            return False
        mine = [each for each in self.others if each is not self]
        if any(each.taken == name for each in mine):
            return False
        if not self.stream_type and any(
            each.stream_type and each._wants(properties, ordinal) for each in mine
        ):
            return False
        self.taken = name
        return True

    def _wants(self, properties: Mapping[str, object], ordinal: int) -> bool:
        if not self.stream_type:
            return True
        return properties.get("StreamType") == self.stream_type and ordinal == self.nth

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __str__(self) -> str:
        words = {"Visual": "video", "Audio": "audio", "Text": "text"}
        return f"#{words.get(self.stream_type, self.stream_type)}{self.nth}" if self.stream_type else "#any"
