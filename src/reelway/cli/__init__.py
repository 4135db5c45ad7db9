"""The command `reelway`: parses, calls what is public, prints. Never here: media work, linking, threads.

__init__    main(): from arguments to an exit code
app         the commands and their arguments
outcome     exit codes, and what an error looks like on a terminal
signals     Ctrl-C, SIGTERM and SIGHUP, which end the work and not the process
job         `run` and `explain`: a session from words
launch      `launch` and `graph`: pipelines as text
show        `play`, `view` and `cameras`: a window, and what is in it
share       `share` and `shared`: frames between processes
record      `record`: files of events
script      `script`: scripts written for other systems
inspect, catalogue, doctor, statistics      one command or table each
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main", "pygst_launch"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line (`sys.argv` without one) and returns its exit code.

    0 done, 1 failure, 2 misuse, 130 interrupted (143 terminated, 129 the terminal was closed). Never raises
    for what a user or the world does wrong: an error is a line on stderr, with a second line where there is
    a hint.
    """
    return _main(list(sys.argv[1:] if arguments is None else arguments), last=arguments is None)


def _main(words: list[str], *, last: bool) -> int:
    try:
        from reelway.cli.outcome import reported
    except KeyboardInterrupt:  # before there is anybody who heeds it
        sys.stderr.write("reelway: interrupted\n")
        return 130

    debug = "--debug" in (words[: words.index("script")] if "script" in words else words)
    if debug:
        words.remove("--debug")

    def work() -> int:
        from reelway.cli.app import parse

        return parse(words)()

    return reported(work, debug=debug, last=last)


def pygst_launch() -> int:
    """The command `pygst-launch`: `reelway launch`."""
    return _main(["launch", *sys.argv[1:]], last=True)
