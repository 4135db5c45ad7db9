"""The commands and their arguments. Parsing yields the work to do; nothing runs inside the parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from reelway.cli.outcome import DONE, MISUSE, Misuse
from reelway.graph.link import POLICIES

__all__ = ["parse"]

Work = Callable[[], int]

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,  # plain help: it needs no other library
    context_settings={"help_option_names": ["-h", "--help"]},
)
_UsageError: Any = typer.BadParameter.__bases__[0]  # typer brings its own click, under a private name
_NEAR = r"(.*?)[.\s]*[(]?(?:Did you mean(?: one of)?|Possible options):? (.*?)\W*$"
_FREE = {"ignore_unknown_options": True}

Url = Annotated[str, typer.Argument(metavar="URL", help="A file, a device or a network address.")]
Src = Annotated[str, typer.Argument(metavar="SRC", help="What to read: a URL, a file, - for standard input.")]
Dst = Annotated[str, typer.Argument(metavar="DST", help="What to write, likewise; 'null' for nothing.")]
Rest = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILTER|--OPTION=VALUE",
        help="Filters between, as in 'reframer:saps=1'; values for an option of every filter that has it.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Threads for coding and converting; 0: the main one does it."),
]
Policy = Annotated[str, typer.Option(metavar="POLICY", help=f"What a full link does: {', '.join(POLICIES)}.")]
Profile = Annotated[
    str | None, typer.Option(metavar="NAME", help="A TOML file of options, or its name in the user's folder.")
]
Log = Annotated[
    str | None,
    typer.Option("--log", "--logs", metavar="TOOLS", help="What is logged: 'dash@info:all@error'."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Neither progress nor warnings.")]


def parse(words: Sequence[str]) -> Work:
    """The work that `words` ask for. Raises Misuse; prints help where it is asked for."""
    try:
        work = app(list(words), prog_name="reelway", standalone_mode=False)
    except _UsageError as error:
        command = f"reelway {error.ctx.info_name}" if error.ctx and error.ctx.parent else "reelway"
        message, near = _apart(error.format_message())
        hint = f"did you mean {near}?" if near else f"`{command} --help` says what there is"
        raise Misuse(message[:1].lower() + message[1:], hint=hint) from None
    return work if callable(work) else lambda: work or DONE


def _apart(message: str) -> tuple[str, str]:
    """What was wrong, and what is like it, of a message of typer's."""
    found = re.match(
        r"(.*?)[.\s]*[(]?(?:Did you mean(?: one of)?|Possible options):? (.*?)\W*$", message, re.DOTALL
    )
    what, near = (found[1], found[2]) if found else (message, "")
    return what.strip().rstrip("."), near.strip("'")


def _version(asked: bool) -> None:
    if asked:
        import reelway

        print(f"reelway {reelway.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def reelway(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback has done it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is.")
    ] = False,
    debug: Annotated[  # noqa: ARG001 - main() has seen it
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
) -> Any:
    """Media sessions out of small filters: read, transform, write, stream.

    Exit codes: 0 done, 1 failure, 2 misuse, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(MISUSE)


@app.command(context_settings=_FREE)
def run(
    src: Src,
    dst: Dst,
    rest: Rest = None,
    threads: Threads = None,
    policy: Policy = "block",
    profile: Profile = None,
    log: Log = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Print figures of filters and links at the end.")
    ] = False,
    graph: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write what was linked: .dot, .mmd, .json or .txt; '-' prints a tree."
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every turn of every filter, for ui.perfetto.dev."),
    ] = None,
    no_overwrite: Annotated[
        bool, typer.Option("--no-overwrite", "-n", help="Refuse to write a file that exists.")
    ] = False,
    quiet: Quiet = False,
) -> Any:
    """Read SRC, pass its streams through the filters, write DST.

    Nothing is decoded unless a filter or a format asks for it. A stream that a filter does not accept goes
    around it. A file at DST is overwritten (but SRC itself never is). Ctrl-C ends the work with a file that
    plays.
    """
    from reelway.cli import job

    wanted = job.Job.of(
        [src, dst, *(rest or [])], threads=threads, policy=policy, profile=profile, log=log, quiet=quiet
    )
    return lambda: job.run(wanted, stats=stats, graph=graph, trace=trace, overwrite=not no_overwrite)


@app.command(context_settings=_FREE)
def explain(
    src: Src,
    dst: Dst,
    rest: Rest = None,
    threads: Threads = None,
    policy: Policy = "block",
    profile: Profile = None,
    log: Log = None,
    quiet: Quiet = False,
) -> Any:
    """Say which stream would go where, through what, and why; write nothing."""
    from reelway.cli import job

    wanted = job.Job.of(
        [src, dst, *(rest or [])], threads=threads, policy=policy, profile=profile, log=log, quiet=quiet
    )
    return lambda: job.explain(wanted)


@app.command()
def inspect(
    url: Url,
    packets: Annotated[bool, typer.Option("--packets", help="List every packet.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object; with --packets, one a line.")
    ] = False,
    log: Log = None,
) -> Any:
    """Say what is in a file or stream."""
    from reelway.cli import inspect as command

    return lambda: command.inspect(url, packets=packets, as_json=json, log=log)


@app.command()
def filters(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The filter to be told about.")] = None,
) -> Any:
    """List the filters, or say what one takes, makes and can be told."""
    from reelway.cli import catalogue

    return lambda: catalogue.describe(name) if name else catalogue.list_all()


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="The same for programs.")] = False,
) -> Any:
    """Say what this installation is and what it lacks."""
    from reelway.cli import doctor as command

    return lambda: command.doctor(as_json=json)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def script(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="The script.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="What the script gets.")] = None,
) -> Any:
    """Run a script written for GPAC's Python, with Reelway in libgpac's place."""

    def work() -> int:
        from reelway.compat.script import run_script

        return run_script(file, arguments or [])

    return work
