"""What is wrong with a text that the grammar of pipeline texts refuses, in words."""

from __future__ import annotations

import re
from typing import Any

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from reelway.errors import PipelineError
from reelway.graph.mediacaps import MediaCaps

__all__ = ["mistake"]

_EXAMPLE = "for example: videotestsrc ! autovideosink"


def mistake(text: str, error: UnexpectedInput) -> PipelineError:
    """The error to raise for `text`, in which the parser did not expect what it found."""
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return _at_the_end(text, error)
        return _token(text, error)
    if isinstance(error, UnexpectedCharacters):
        at: Any = error.pos_in_stream  # an int, though declared None
        return _characters(text, at)
    return PipelineError("the text is no pipeline", text=text, hint=_EXAMPLE)


def _wrong(text: str, message: str, at: int, length: int = 1, hint: str | None = None) -> PipelineError:
    return PipelineError(message, text=text, at=at, length=length, hint=hint)


def _at_the_end(text: str, error: UnexpectedToken) -> PipelineError:
    if "CLOSE" in error.expected or "CLOSE" in error.accepts:
        at = _unclosed(text)
        swallowed = re.search(r"=\S*\)(?=\s|$)", text[at:])
        hint = "write a space before ')', else it belongs to the value" if swallowed else "write ')'"
        return _wrong(text, "the parenthesis is never closed", at, hint=hint)
    at = max(text.rstrip(" \t\r\n\\").rfind("!"), 0)
    return _wrong(text, "nothing stands after '!'", at, hint="an element, caps or a reference such as t.")


def _unclosed(text: str) -> int:
    """The place of the last parenthesis that opens a bin and is not closed; roughly, for a message only."""
    opened: list[int] = []
    for found in re.finditer(r"(?<!\S)(?:[\w\-]+\.)?(\()|(?<!\S)(\))", text):
        if found[1]:
            opened.append(found.start(1))
        elif opened:
            opened.pop()
    return opened[-1] if opened else text.rfind("(")


def _token(text: str, error: UnexpectedToken) -> PipelineError:
    token: Any = error.token
    at = token.start_pos
    before = _before(text, at)
    if token.type == "LINK":
        if before.endswith("!"):
            return _wrong(text, "nothing stands between two '!'", at, hint="take one of them away")
        return _wrong(text, "nothing stands before '!'", at, hint=_EXAMPLE)
    if token.type == "CLOSE":
        if before.endswith("!"):
            return _wrong(text, "nothing stands after '!'", before.rfind("!"), hint="an element or caps")
        return _wrong(text, "')' closes no parenthesis", at, hint="take it away, or write '(' before")
    if token.type == "SETTING":
        return _setting(text, str(token), at)
    if token.type == "PADS":
        return _wrong(
            text, f"the pad {str(token)!r} stands at no element", at, len(token),
            hint="write it behind an element, or between '!' and an element",
        )  # fmt: skip
    return _wrong(text, f"{str(token)!r} was not expected here", at, len(token))


def _setting(text: str, token: str, at: int) -> PipelineError:
    name = token.partition("=")[0].rstrip()
    before = _before(text, at)
    last = before.split("!")[-1].split()[-1:]
    hint = "an element comes first: element name=value"
    if last and re.match(r"[\w.+\-]+/[\w.+\-]+", last[0]):
        hint = "the fields of caps are joined by commas: video/x-raw,width=640,height=360"
    elif last and re.fullmatch(r"[\w\-]+\.[\w\-,]*", last[0]):
        hint = "properties stand where the element is made, not where it is referred to"
    return _wrong(text, f"the property {name!r} belongs to no element", at, len(name), hint)


def _characters(text: str, at: int) -> PipelineError:
    before = _before(text, at)
    rest = text[at:]
    start = before.rfind("!") + 1
    last = before[start:].strip()
    quote = re.match(r"([\w\-:]+)\s*=\s*([\"'])", rest) or re.match(r"()=?\s*([\"'])", rest)
    if quote:
        place = at + quote.start(2)
        end = re.match(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", text[place:], re.DOTALL)
        if end is None:
            return _wrong(text, "the quotes are never closed", place, hint=f"write {quote[2]} at the end")
        return _wrong(
            text, "after the closing quote a space is missing", place + end.end(),
            hint="put the whole value in quotes",
        )  # fmt: skip
    if caps := _caps(text, start, at):
        return caps
    if rest.startswith("="):
        name = re.search(r"[\w\-%:]*$", before)
        if name and name[0] and re.match(r"=\s*(?!!(?:\s|$))\S", rest):
            return _setting(text, name[0], name.start())
        if name and name[0]:
            return _wrong(
                text, f"the property {name[0]!r} has no value", name.start(), len(name[0]),
                'write name=value; an empty one is ""',
            )  # fmt: skip
    if rest[0] == "@":
        return _wrong(text, "presets are not known", at, hint="write the properties themselves")
    if rest[0] == ":":
        return _wrong(text, "':' between elements is not known", at, hint="write one '!' for each link")
    if rest[0] in ",;" and re.search(r"[\w\-]\s*=\s*\S+$", last):
        return _wrong(
            text, f"{rest[0]!r} was not expected here", at, hint="properties have a space between them"
        )
    word = re.match(r"\S+", rest)
    found = word[0] if word else rest[0]
    hint = "a value with such characters stands in quotes"
    if re.match(r"\{[A-Za-z_]\w*[:}]", rest):
        hint = "a placeholder has to be filled before the text is read"
    if re.fullmatch(r"[|&,;>/=~+\-]+>?", found):
        hint = "elements are linked by '!'"
    return _wrong(text, f"{found!r} is neither an element nor caps", at, len(found), hint)


def _caps(text: str, start: int, at: int) -> PipelineError | None:
    """The error in caps that begin between `start` and `at`, if they are what is wrong."""
    media = list(re.finditer(r"(?<!\S)[A-Za-z0-9][\w.+\-]*/[\w.+\-]+", text[start : at + 1]))
    if not media:
        return None
    begin = start + media[-1].start()
    end = re.compile(r"\s!(?=\s|$)").search(text, at)
    try:
        MediaCaps.parse(text[begin : end.start() if end else len(text)])
    except PipelineError as error:
        return error.within(text, begin)
    return None


def _before(text: str, at: int) -> str:
    return text[:at].rstrip(" \t\r\n\\")
