"""Parts of pipeline texts: what stands in front of their last element, and behind their first one."""

from __future__ import annotations

import reelway as rw
from reelway.graph import pipelinetext

__all__ = ["before", "behind"]


def before(text: str, last: str, where: str) -> str:
    """Without its last element, which must be of the kind `last`. Raises PipelineError, OptionError."""
    node = pipelinetext.parse(text).nodes[-1]
    _check(node, last, where, "end")
    return text[: node.at].rstrip().removesuffix("!").strip()


def behind(text: str, first: str, where: str) -> str:
    """Without its first element, which must be of the kind `first`. Raises PipelineError, OptionError."""
    nodes = pipelinetext.parse(text).nodes
    _check(nodes[0], first, where, "begin")
    return text[nodes[1].at :].strip() if len(nodes) > 1 else ""


def _check(node: pipelinetext.Element | pipelinetext.Bin, kind: str, where: str, how: str) -> None:
    found = getattr(node, "kind", "a bin")
    if found != kind:
        raise rw.OptionError(f"{where} {how}s with {found}", hint=f"it must {how} with {kind}")
