"""The commands and their arguments. Parsing yields the work to do; nothing runs inside the parser.

argparse rather than a larger library: a command line that takes longer to load than a film to remux would
be most of what `reelway run` does, and only the parser of the command that was said is made.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from reelway.cli.outcome import DONE, MISUSE, Misuse
from reelway.errors import nearest
from reelway.graph.link import POLICIES

__all__ = ["COMMANDS", "parse"]

Work = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Command:
    """One command: how it is said, what it does, its options, and the work they ask for.

    `work` gets the options and the other words. `text` begins with the one line of the overview.
    """

    usage: str
    text: str
    declare: Callable[[argparse.ArgumentParser], object]
    work: Callable[[argparse.Namespace, list[str]], Work]
    free: bool = False
    """Options that it does not declare are among the words too."""

    @property
    def summary(self) -> str:
        return self.text.partition("\n")[0]


def parse(words: Sequence[str]) -> Work:
    """The work that `words` ask for. Raises Misuse; prints help and ends with SystemExit where asked for."""
    match words:
        case []:
            return lambda: _say(_overview(), MISUSE)
        case ["-h" | "--help" | "help", *_]:
            return lambda: _say(_overview(), DONE)
        case ["--version", *_]:
            return lambda: _say(f"reelway {_version()}", DONE)
    name, rest = words[0], list(words[1:])
    if name not in COMMANDS:
        what = "option" if name.startswith("-") else "command"
        raise Misuse(
            f"no {what} {name!r}", hint=_near(name, COMMANDS) or "`reelway --help` lists the commands"
        )
    command = COMMANDS[name]
    if name == "script":  # what follows the file is the script's
        shadow = rest[:1] == ["--shadow"]
        if rest[shadow:] and not rest[shadow].startswith("-"):
            return command.work(argparse.Namespace(shadow=shadow), rest[shadow:])
    parser = _Parser(
        prog=f"reelway {name}",
        usage=f"reelway {name} {command.usage}",
        description=command.text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.declare(parser)
    options, others = parser.parse_known_args(rest)
    known = [each for action in parser._actions for each in action.option_strings]
    if not command.free and (wrong := [each for each in others if each.startswith("-") and each != "-"]):
        given = wrong[0].partition("=")[0]
        raise Misuse(f"no option {given}", hint=_near(given, known) or f"`reelway {name} --help` lists them")
    return command.work(options, others)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Misuse(message.removeprefix("argument "), hint=f"`{self.prog} --help` says how")


def _say(text: str, code: int) -> int:
    import sys

    print(text, file=sys.stderr if code else sys.stdout)
    return code


def _overview() -> str:
    commands = "\n".join(f"  {name:9} {command.summary}" for name, command in COMMANDS.items())
    return textwrap.dedent("""\
        usage: reelway COMMAND ...

        Media sessions out of small filters: read, transform, write, stream.

        {}

        `reelway COMMAND --help` says more; --debug, anywhere, shows the traceback of an error.
        `reelway --version` says which version this is. Exit codes: 0 done, 1 failure, 2 misuse,
        130 interrupted, 143 terminated, 129 the terminal was closed.""").format(commands)


def _version() -> str:
    import reelway

    return reelway.__version__


def _near(name: str, known: Sequence[str] | dict[str, Command]) -> str | None:
    near = nearest(name, known)
    return f"did you mean {' or '.join(near)}?" if near else None


def _one(command: str, words: Sequence[str], what: str) -> str:
    """The only word. Raises Misuse for none or more."""
    if len(words) != 1:
        problem = f"{what} must be given" if not words else f"{words[1]!r} is one too many"
        raise Misuse(problem, hint=f"reelway {command} {COMMANDS[command].usage}")
    return words[0]


def _log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", metavar="TOOLS", help="what is logged, as in 'dash@info:all@error'")


def _usual(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", metavar="N", type=int, help="threads for coding; 0: the main one does it"
    )
    _log(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="neither progress nor warnings")


def _session(parser: argparse.ArgumentParser) -> None:
    _usual(parser)
    policies = ", ".join(POLICIES)
    default = "by default block, and fresh behind live sources"
    parser.add_argument("--policy", metavar="POLICY", help=f"of full links: {policies}; {default}")
    parser.add_argument(
        "--profile", metavar="NAME", help="a TOML file of options, or its name in your folder"
    )


def _run_options(parser: argparse.ArgumentParser) -> None:
    _session(parser)
    parser.add_argument("--stats", action="store_true", help="print figures of filters and links at the end")
    parser.add_argument(
        "--graph", metavar="FILE", help="draw what was linked: .dot, .mmd, .json, .txt; - prints it"
    )
    parser.add_argument(
        "--trace", metavar="FILE", type=Path, help="write down every turn, for ui.perfetto.dev"
    )
    parser.add_argument(
        "-n", "--no-overwrite", action="store_true", help="refuse to write a file that exists"
    )


def _inspect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--packets", action="store_true", help="list every packet")
    parser.add_argument("--json", action="store_true", help="one JSON object; with --packets, one a line")
    _log(parser)


def _job(options: argparse.Namespace, words: list[str]) -> Any:
    from reelway.cli.job import Job

    said = {name: getattr(options, name) for name in ("threads", "policy", "profile", "log", "quiet")}
    return Job.of(words, **said)


def _run(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import job

    wanted = _job(options, words)
    return lambda: job.run(
        wanted,
        stats=options.stats,
        graph=options.graph,
        trace=options.trace,
        overwrite=not options.no_overwrite,
    )


def _explain(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import job

    wanted = _job(options, words)
    return lambda: job.explain(wanted)


def _inspect(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import inspect

    url = _one("inspect", words, "URL")
    return lambda: inspect.inspect(url, packets=options.packets, as_json=options.json, log=options.log)


def _filters(_options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import catalogue

    if not words:
        return catalogue.list_all
    name = _one("filters", words, "NAME")
    return lambda: catalogue.describe(name)


def _doctor(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import doctor

    if words:
        raise Misuse(f"{words[0]!r} is one too many", hint="reelway doctor [--json]")
    return lambda: doctor.doctor(as_json=options.json)


def _script(options: argparse.Namespace, words: list[str]) -> Work:
    if not words:
        raise Misuse("FILE.py must be given", hint="reelway script FILE.py [ARGUMENT]...")

    def work() -> int:
        from reelway.cli.script import script

        return script(words, shadow=options.shadow)

    return work


def _launch_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", metavar="FILE", help="a file that holds the pipeline")
    parser.add_argument("-m", "--messages", action="store_true", help="print what is posted on the bus")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the caps of every pad")
    parser.add_argument("-t", "--tags", action="store_true", help="print tags as they are found")
    parser.add_argument(
        "-e",
        "--eos-on-shutdown",
        action="store_true",
        help="Ctrl-C ends the streams first, a second one stops",
    )
    parser.add_argument("--obs", metavar="NAME", help="the element at which metadata are extracted")
    parser.add_argument("--ext", metavar="MODULE:PRODUCER", help="what extracts them, on the media path")
    parser.add_argument("--proc", metavar="MODULE:CONSUMER", help="what gets them, in the background")
    parser.add_argument("--stats", action="store_true", help="print figures of filters and links at the end")
    parser.add_argument(
        "--threads", metavar="N", type=int, help="threads for coding; 0: the application's does it"
    )
    _log(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="neither progress nor warnings")


def _graph_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", metavar="FILE", help="a file that holds the pipeline")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="draw it there: .dot, .svg, .png, .mmd, .json, .txt"
    )
    parser.add_argument("--after", metavar="S", type=float, help="play for so many seconds first")


def _launch(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import launch

    pipe = launch.Pipe.of(words, options.file)
    return lambda: launch.launch(
        pipe,
        messages=options.messages,
        caps=options.verbose,
        tags=options.tags,
        eos=options.eos_on_shutdown,
        quiet=options.quiet,
        stats=options.stats,
        observe=options.obs,
        extract=options.ext,
        consume=options.proc,
        threads=options.threads,
        log=options.log,
    )


def _graph(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import launch

    pipe = launch.Pipe.of(words, options.file)
    return lambda: launch.graph(pipe, options.output, options.after)


def _share_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="NAME", help="what it is shared as")
    parser.add_argument(
        "--pixel-format", metavar="FORMAT", default="rgb24", help="of the pictures; rgb24 by default"
    )
    parser.add_argument("--audio", action="store_true", help="the sound, instead of the pictures")
    parser.add_argument("--packets", action="store_true", help="as they come, not decoded")
    parser.add_argument("--real-time", action="store_true", help="a file as a camera would send it")
    parser.add_argument(
        "--wait-readers", metavar="N", type=int, help="begin when so many read; of a file one by default"
    )
    parser.add_argument("--slots", metavar="N", type=int, default=10, help="frames in memory at once")
    parser.add_argument(
        "--patience", metavar="S", type=float, default=5.0, help="who holds all up for longer is cut off"
    )
    _usual(parser)


def _shared_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save", metavar="FILE", type=Path, help="write the newest picture: .png, .jpg")
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=5.0, help="how long to wait for a picture"
    )


def _share(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import share

    src = _one("share", words, "SRC")
    if not options.name:
        raise Misuse("--name must be given", hint="reelway share SRC --name cam1")
    sharing = share.Sharing(
        src,
        options.name,
        pixel_format=options.pixel_format,
        audio=options.audio,
        packets=options.packets,
        real_time=options.real_time,
        slots=options.slots,
        patience_s=options.patience,
        wait_readers=options.wait_readers,
    )
    return lambda: share.share(sharing, threads=options.threads, log=options.log, quiet=options.quiet)


def _shared(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import share

    if not words and options.save is None:
        return share.list_all
    name = _one("shared", words, "NAME")
    if options.save is None:
        return lambda: share.describe(name)
    return lambda: share.save(name, options.save, timeout_s=options.timeout)


def _show_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", metavar="WxH", default="", help="of the window; by default as the picture")
    parser.add_argument("--full-screen", action="store_true", help="without borders; f changes it")
    _usual(parser)


def _play_options(parser: argparse.ArgumentParser) -> None:
    _show_options(parser)
    parser.add_argument("--mute", action="store_true", help="no sound")


def _view_options(parser: argparse.ArgumentParser) -> None:
    _show_options(parser)
    parser.add_argument("--fps", metavar="N", type=int, default=25, help="pictures a second of the grid")


def _recording() -> Any:
    from reelway.cli import record

    return record


def _play(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import show

    looks = {"size": options.size, "full_screen": options.full_screen}
    showing = show.Showing([_one("play", words, "URL")], sound=not options.mute, **looks)
    return lambda: show.play(showing, threads=options.threads, log=options.log, quiet=options.quiet)


def _view(options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import show

    if not words:
        raise Misuse("a URL must be given", hint="reelway view rtsp://camera1 rtsp://camera2")
    looks = {"size": options.size, "full_screen": options.full_screen}
    showing = show.Showing(words, fps=options.fps, **looks)
    return lambda: show.view(showing, threads=options.threads, log=options.log, quiet=options.quiet)


def _cameras(_options: argparse.Namespace, words: list[str]) -> Work:
    from reelway.cli import show

    if words:
        raise Misuse(f"{words[0]!r} is one too many", hint="reelway cameras")
    return show.cameras


COMMANDS = {
    "run": Command(
        "SRC DST [FILTER]... [--OPTION=VALUE]... [options]",
        """\
Read SRC, pass its streams through the filters, write DST.

  SRC, DST          a file, an address, - for standard input or output; SRC may also be a filter that
                    makes streams, as in testvideo:frames=250, and DST null
  FILTER            a filter with its options, as in reframer:saps=1
  --OPTION=VALUE    for every filter that has that option

Nothing is decoded unless a filter or a format asks for it. A stream that a filter does not accept goes
around it. A file at DST is overwritten, but never SRC itself. Ctrl-C leaves a file that plays.""",
        _run_options,
        _run,
        free=True,
    ),
    "explain": Command(
        "SRC DST [FILTER]... [--OPTION=VALUE]... [options]",
        "Say which stream would go where, through what, and why; write nothing.",
        _session,
        _explain,
        free=True,
    ),
    "inspect": Command("URL [options]", "Say what is in a file or stream.", _inspect_options, _inspect),
    "launch": Command(
        "PIPELINE... [--NAME=VALUE]... [options]",
        """\
Run a pipeline in gst-launch's language.

  PIPELINE          as in 'videotestsrc pattern={pattern:ball} ! autovideosink'; or --file FILE
  --NAME=VALUE      for {NAME} in the pipeline

Ctrl-C closes files properly. Where GST_DEBUG_DUMP_DOT_DIR or REELWAY_DUMP_DOT_DIR names a folder, the graph
is drawn there at each change of state.""",
        _launch_options,
        _launch,
        free=True,
    ),
    "graph": Command(
        "PIPELINE... [-o FILE] [--NAME=VALUE]... [options]",
        "Draw a pipeline: what would be linked, converters too; with --after, with figures.",
        _graph_options,
        _graph,
        free=True,
    ),
    "play": Command(
        "URL [options]",
        """\
Show URL in a window, with its sound.

  URL               a file, an address, - for standard input, shared:NAME, or a filter: testvideo

The space bar is a pause, the arrow keys go 10 s back and on, f is full screen, q or Esc ends it.""",
        _play_options,
        _play,
    ),
    "view": Command(
        "URL... [options]",
        "Show several sources in one window, as a grid, each as it comes.",
        _view_options,
        _view,
    ),
    "record": Command(
        "URL... DIR [--every S] [--on WHAT]... [options]",
        "Record events of URL as files in DIR that begin before them. A file is played in real time.",
        lambda parser: _recording().declare(parser, _usual),
        lambda options, words: _recording().work(options, words),
    ),
    "cameras": Command("", "List the cameras of this machine.", lambda parser: None, _cameras),  # noqa: ARG005
    "share": Command(
        "SRC --name NAME [options]",
        """\
Share what SRC shows with other processes, as NAME: see `reelway.share`.

  SRC               a file, an address, - for standard input, or a filter: testvideo:live=on

Pictures are shared as rgb24 arrays. A file waits for its first reader, and goes as fast as they take it.""",
        _share_options,
        _share,
    ),
    "shared": Command(
        "[NAME] [--save FILE]",
        "List what is shared, say all of one, or save its newest picture.",
        _shared_options,
        _shared,
    ),
    "filters": Command(
        "[NAME]",
        "List the filters, or say what one takes, makes and can be told.",
        lambda parser: None,  # noqa: ARG005
        _filters,
    ),
    "doctor": Command(
        "[--json]",
        "Say what this installation is and what it lacks.",
        lambda parser: parser.add_argument("--json", action="store_true", help="the same for programs"),
        _doctor,
    ),
    "script": Command(
        "[--shadow] FILE.py [ARGUMENT]...",
        "Run a script written for GPAC, GStreamer, pythiags or Valkka, with Reelway in their place.",
        lambda parser: parser.add_argument(
            "--shadow", action="store_true", help="in their place also where the real ones are installed"
        ),
        _script,
    ),
}
"""Name -> command, in the order of the overview."""
