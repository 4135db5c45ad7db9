"""`run` and `explain`: a session made of words."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelway import catalog
from reelway.cli.outcome import DONE, Misuse, outcome_of
from reelway.cli.signals import heeding
from reelway.errors import OptionError, UnknownNameError, UnknownOptionError, UnsupportedError
from reelway.graph.option import Option
from reelway.session.loading import load_word
from reelway.session.logs import set_logs
from reelway.session.session import Session

__all__ = ["Job", "explain", "run", "terminable"]


@dataclass(frozen=True, slots=True)
class Job:
    """What to read, what to write, the filters between, and what the session is told."""

    src: str
    dst: str
    filters: tuple[str, ...]
    defaults: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None
    policy: str | None = None
    profile: str | None = None
    log: str | None = None
    quiet: bool = False

    @classmethod
    def of(cls, words: Sequence[str], **options: Any) -> Job:
        """From the words of the command line. Raises Misuse for too few, OptionError for a wrong option."""
        end = words.index("--") if "--" in words else len(words)
        said = [word for word in words[:end] if word.startswith("--")]
        plain = [word for word in words[:end] if not word.startswith("--")]
        if short := next((word for word in plain if word[:1] == "-" and word[1:2].isalnum()), None):
            raise Misuse(f"no option {short}", hint="`reelway run --help` lists what there is")
        plain += words[end + 1 :]
        if len(plain) < 2:
            missing = "DST" if plain else "SRC and DST"
            raise Misuse(f"{missing} must be given", hint="reelway run SRC DST [FILTER]...")
        return cls(plain[0], plain[1], tuple(plain[2:]), _defaults(said), **options)

    def session(self, **options: Any) -> Session:
        """A session with its filters in a chain, not linked yet."""
        set_logs(f"all@{'quiet' if self.quiet else 'warning'}{':' + self.log if self.log else ''}")
        session = Session(
            threads=self.threads,
            policy=self.policy,  # type: ignore[arg-type]  # Limits refuses any other
            profile=self.profile,
            defaults=self.defaults,
            **options,
        )
        try:
            source = load_word(session, self.src)
            between = [session.load(text) for text in self.filters]
            session.chain(source, *between, session.load_dst(_written(self.dst)))
        except BaseException:
            session.close()
            raise
        return session


def run(job: Job, *, stats: bool, graph: str | None, trace: Path | None, overwrite: bool) -> int:
    """Does it. Raises what the session raises, after the figures that were asked for are out."""
    if not overwrite and os.path.exists(job.dst):
        raise OptionError(f"{job.dst} exists", hint="leave --no-overwrite out to write over it")
    if graph and graph != "-":
        from reelway.session.graph import check_form

        check_form(graph)
    with job.session(trace=trace) as session, terminable(session) as received:
        try:
            session.run(progress=not job.quiet)
        finally:
            session.close()
            if stats:
                from reelway.cli.statistics import table

                sys.stderr.write(table(session.statistics()))
            if graph == "-":
                print(session.graph(), file=sys.stdout if job.dst == _written(job.dst) else sys.stderr)
            elif graph:
                session.graph().write(graph)
    return outcome_of(received)


def explain(job: Job) -> int:
    """Prints the plan."""
    with job.session() as session:
        print(session.explain())
    return DONE


def terminable(session: Session) -> AbstractContextManager[list[int]]:
    """While it lasts a signal stops the session, which closes its files properly; a second one, at once."""
    return heeding(lambda _number, count: session.stop("all" if count == 1 else "none"))


def _written(word: str) -> str:
    """The URL; `-`, and `-:option=value`, stand for standard output."""
    return "pipe:1" + word[1:] if word == "-" or word.startswith("-:") else word


def _defaults(said: Sequence[str]) -> dict[str, Any]:
    """Option -> value, from `--name=value` and `--flag`."""
    if not said:
        return {}
    known: dict[str, Option] = {}
    for name in catalog.names():
        try:
            declared = catalog.find(name).options()
        except (ImportError, UnsupportedError):  # it needs a package that is not there
            continue
        for option in declared.values():
            known |= {each: known.get(each, option) for each in (option.name, *option.aliases)}
    defaults: dict[str, Any] = {}
    for word in said:
        name, assign, value = word[2:].partition("=")
        if name not in known:
            unknown = UnknownNameError.of("option of a filter", name, known)
            raise UnknownOptionError(
                f"no option --{name} of `reelway run` or of any filter",
                name=name,
                near=[f"--{near}" for near in unknown.near],
                hint=None if unknown.near else "`reelway filters NAME` lists those of a filter",
            )
        hint = None if assign else f"write --{name}=VALUE"
        try:
            known[name].fit(value if assign else "true", f"--{name}")
        except OptionError as error:
            raise OptionError(str(error), hint=hint or error.hint) from None
        defaults[known[name].name] = value if assign else "true"
    return defaults
