"""Placeholders in a pipeline text: `{name}` and `{name:default}`, filled before the text is parsed.

A brace begins a placeholder when an identifier follows it at once and then `}` or `:`. So the choices of
caps, `{ I420, NV12 }` and `{I420,NV12}`, stay what they are: a blank or a comma is in them. `{I420}`, choices
of one, is read as a placeholder; write `{ I420 }`. `{{` and `}}` are literal braces. In a comment nothing
is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reelway.errors import PipelineError
from reelway.graph.pipelinetext import check_text, quoted

__all__ = ["fill", "names"]

# A default goes to the first "}"; "}}" in it is a literal one.
_PLACEHOLDER = r"\{\{|\}\}|\{(?P<name>[A-Za-z_]\w*)(?P<default>:(?:[^{}]|\}\}|\{\{)*)?\}"

_IN_QUOTES = r"""\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"""


def _placeholders(text: str) -> Iterator[re.Match[str]]:
    """The placeholders of `text`, and its doubled braces; those in comments are no such thing."""
    words = re.finditer(rf"(?:(?<=[\s=])|^)(?:{_IN_QUOTES})|(?P<comment>(?<!\S)#[^\n]*)", text, re.DOTALL)
    comments = [word.span() for word in words if word["comment"]]
    for found in re.finditer(_PLACEHOLDER, text):
        if not any(start <= found.start() < end for start, end in comments):
            yield found


def names(text: str) -> dict[str, str | None]:
    """The placeholders of `text` in order, each with its default, or None where it has none.

    Where one name has several defaults, the first is given.
    """
    known: dict[str, str | None] = {}
    for found in _placeholders(text):
        if not found["name"]:
            continue
        default = None if found["default"] is None else _literal(found["default"][1:])
        if known.get(found["name"]) is None:
            known[found["name"]] = default
    return known


def fill(text: str, values: Mapping[str, Any] = {}, *, quote: bool = False) -> str:
    """`text` with its placeholders filled from `values`, or from their defaults.

    A default is good for every place of its name. True and False become `true` and `false`.

    In the value of a property, `location={film}` or `location="{folder}/a.mp4"`, what is filled in stays
    part of that one value, whatever is in it. Elsewhere it goes in as text, so it may bring elements, links
    and caps: let nobody fill in a placeholder there who must not write pipelines, or say `quote`, which
    makes one quoted word of it. A value that is in quotes already stays as it is.

    Raises PipelineError, which points at the place, for a placeholder without a value, and for values that
    no placeholder asks for; the hint says what to write on the command line.
    """
    check_text(text)
    known = names(text)
    for name in values:
        if name not in known:
            raise PipelineError.unknown(
                "placeholder", name, known, hint=None if known else "the text has no placeholders"
            )
    for found in _placeholders(text):
        name = found["name"]
        if name and name not in values and known[name] is None:
            raise PipelineError(
                f"the placeholder {{{name}}} has no value", text=text, at=found.start(),
                length=found.end() - found.start(),
                hint=f"give it one: {name}=... in Python, --{name}=... on the command line",
            )  # fmt: skip

    def filled(found: re.Match[str]) -> str:
        name = found["name"]
        if not name:
            return found[0][0]
        if name not in values:
            return known[name] or ""
        value = _text(values[name])
        if _in_quotes(text, found.start()):
            return re.sub(r"([\\\"'])", r"\\\1", value)
        before, behind = _word_around(text, found)
        if before is None:
            return quoted(value) if quote else value
        if re.fullmatch(_IN_QUOTES, value, re.DOTALL) and not before + behind:
            return value
        return quoted(value) if not before + behind else re.sub(r"([\s\\\"'])", r"\\\1", value)

    parts, at = [], 0
    for found in _placeholders(text):
        parts += [text[at : found.start()], filled(found)]
        at = found.end()
    return "".join(parts) + text[at:]


def _word_around(text: str, found: re.Match[str]) -> tuple[str | None, str]:
    """What stands around a placeholder in the value of a property; None where it is in no such value.

    Behind a comma `name=` is a field of caps.
    """
    behind = re.compile(r"\S*").match(text, found.end())
    value = re.search(r"(?<!\S)[\w\-%:]+\s*=\s*(\S*)$", text[: found.start()])
    if value is None or text[: value.start()].rstrip().endswith(","):
        return None, ""
    return value[1], behind[0] if behind else ""


def _literal(default: str) -> str:
    return default.replace("{{", "{").replace("}}", "}")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _in_quotes(text: str, at: int) -> bool:
    """Whether a quote is open at `at`: one that begins a word, or the value of a property."""
    words = re.finditer(rf"(?:(?<=[\s=])|^)(?:{_IN_QUOTES})", text, re.DOTALL)
    return any(word.start() < at < word.end() for word in words)
