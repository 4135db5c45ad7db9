"""The filter contract: what an author writes, and what the session promises.

    open()          once, before anything else; a source makes its first PIDs here
    configure(pid)  an input is there, or its properties have changed; before the first packet it is about
    process()       read inputs, send on outputs; returns None, or a delay [s] after which to be called again
    ended(pid)      an input has ended and is drained
    restarted(pid)  an input goes on from another place of its stream
    remove(pid)     an input was unlinked
    on_event(event) a message passes; True stops it here
    updated(name)   a live option has changed
    close()         once, last, whatever happened

All on one thread at a time: the session's, unless `thread` says otherwise. A filter is called for news (a
packet, a mark, room on a full output, an event, its delay, `wake()`), not for level: called and neither
reading nor sending, it waits for the next news. After an exception the policy `on_error` decides: `stop`
ends the session, `skip` goes on with the next packet; `close()` runs either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

from reelway.errors import OptionError, StateError
from reelway.graph.caps import Caps
from reelway.graph.link import Limits, Link
from reelway.graph.option import Option, apply, declared, option
from reelway.graph.pid import Pid

if TYPE_CHECKING:
    from reelway.graph.policy import Order
    from reelway.graph.resolve import Conversion, Demand
    from reelway.graph.select import Selector
    from reelway.graph.wiring import Wiring
    from reelway.media.events import Event

Thread = Literal["session", "pool", "own"]


class Context(Protocol):
    """What a running filter may ask of its session."""

    def send_upstream(self, link: Link, event: Event) -> None: ...
    def send_downstream(self, pid: Pid, event: Event) -> None: ...
    def defer(self, callback: Callable[[], None]) -> None:
        """Queues `callback` for the session's thread; from any thread, also from a finalizer."""

    def refit(self, pid: Pid, properties: dict[str, Any]) -> None:
        """Gets `pid`, which has these from now on, to consumers that do not take it so; then releases it."""

    def wake(self, filter: Filter) -> None:
        """Gives `filter` a turn; from any thread."""

    def deliver(self, filter: Filter, event: Event) -> None:
        """Gives `event` to `filter` itself, for each of its PIDs."""

    def call(self, filter: Filter, work: Callable[[], None]) -> None:
        """Runs `work` on the filter's thread, before its next turn."""

    def watch(self, look: Callable[[], float | None]) -> None:
        """Calls `look` on the session's thread, soon, and again after each delay [s] that it returns.

        It keeps no session running. From any thread.
        """

    def now(self) -> float:
        """The session's clock [s]."""

    def statistics(self, filter: Filter) -> Any:
        """The FilterStatistics of `filter`."""

    @property
    def stopping(self) -> bool:
        """The session ends before its streams do: they are cut where they happened to be."""

    def end_session(self) -> None:
        """Asks the session to end, as its `stop()` does: what is queued still arrives. From any thread."""

    def expects_inputs(self, filter: Filter) -> bool:
        """True while a filter upstream may still make a PID for `filter`, which is then called again."""


class Unattached:
    """The context of a filter that no session holds."""

    def __getattr__(self, name: str) -> Any:
        raise StateError(
            f"{name}() needs a session", hint="add the filter to a session first: session.add(filter)"
        )


class Output(NamedTuple):
    """The PIDs of a filter that a selector matches; all without one."""

    filter: Filter
    selector: Selector | None = None

    def __rshift__(self, consumer: Filter) -> Filter:
        self.filter._wiring().declare(self.filter, consumer, self.selector, restrict=True)
        return consumer


class Filter:
    """Consumes packets from input PIDs (`ipids`) and produces packets on output PIDs (`opids`)."""

    inputs: ClassVar[Sequence[Caps]] = ()
    """What it accepts, each a whole bundle; empty for a source."""
    outputs: ClassVar[Sequence[Caps]] = ()
    """What it produces; empty for a sink."""
    thread: Thread = "session"
    """`session`: the caller of run(). `pool`: long work in C with the GIL released (decode, convert, encode).
    `own`: calls that may block (network, pipes), or work that shall not disturb the others."""
    output_limits: Limits | None = None
    """What the links from its outputs may hold; None: what the session says."""
    input_limits: Limits | None = None
    """What the links to it may hold, whoever sends; None: what its producer, or the session, says."""
    usual_limits: ClassVar[Limits | None] = None
    """The same, but for pictures of a live source, of which it gets the newest."""
    input_number: Callable[[Link], int | None] | None = None
    """What number an input has, where somebody numbers them, as an application numbers pads."""
    on_message: Callable[[str, dict[str, Any]], None] | None = None
    """What `post_message` calls; an application with a bus of messages sets it."""
    waits_outside: bool = False
    """Set while only `wake()` from outside can move it on, as a user's hands do: then a session that has
    nothing else to do waits, instead of ending or calling it stuck."""
    records: ClassVar[bool] = False
    """It keeps what it gets: pictures of a live source on their way to it are not left out for newer ones."""
    holds: ClassVar[bool] = False
    """What waits in front of it is not late: it lets each packet through at its time."""
    seeks: ClassVar[bool] = False
    """A source that goes elsewhere in its stream when it is told to (`Play`)."""
    max_inputs: ClassVar[int | None] = None
    """How many PIDs it takes; None: any number."""
    quantum: ClassVar[int] = 64
    """How many packets a source sends a turn at most, so that the others get theirs."""
    conversions: ClassVar[Sequence[Conversion]] = ()
    """What the resolver may use it for, where the catalogue lists it among the converters."""
    kind: ClassVar[str] = ""
    """Converters of one kind never follow each other."""
    registry_name: ClassVar[str] = ""
    """Its name in the catalogue."""

    on_error: str = option(
        "stop", choices=("stop", "skip"), help="after an exception: end the session, or go on"
    )

    def __init__(self, **options: Any) -> None:
        self.name: str = options.pop("name", "") or self.registry_name or type(self).__name__
        self.ipids: list[Link] = []
        self.opids: list[Pid] = []
        self.status = ""
        """One line about what it is doing, for people."""
        self.blocked = False
        """An output is full, and `get()` gives None. Set by links, cleared by the scheduler."""
        self.context: Context = Unattached()
        self.unlinked: list[Pid] = []
        """PIDs made in this turn, which the session links when it is over."""
        self.order: Order | None = None
        """In which its inputs give packets, where those have the policy `fresh`."""
        self.opened = False
        """`open()` was called; from then on only live options change."""
        self.wiring: Wiring | None = None
        self.given: dict[str, Any] = {}
        """Options that were said, as they were said."""
        self.set_options(options)

    # For the author

    def open(self) -> None:
        """Called once, before anything else."""

    def configure(self, pid: Link) -> None:
        """`pid.properties` are new. Called before the first packet they are about."""

    def process(self) -> float | None:
        """Reads and sends until the inputs are empty or an output is full; then returns.

        A number asks for another call after so many seconds, with or without news.
        """
        raise NotImplementedError(f"{type(self).__name__} has no process()")

    def ended(self, pid: Link) -> None:
        """`pid` has ended. By default so does the output made `of` it, and after the last input, all."""
        if pid.output is not None:
            pid.output.end()
        if all(link.ended for link in self.ipids):
            for output in (*self.opids, *self.unlinked):
                output.end()

    def restarted(self, pid: Link) -> None:
        """`pid` goes on from elsewhere. By default so do the outputs."""
        for output in (pid.output,) if pid.output is not None else (*self.opids, *self.unlinked):
            output.restart()

    def remove(self, pid: Link) -> None:
        """`pid` was unlinked and is no longer in `ipids`. By default the output made `of` it ends."""
        if pid.output is not None:
            pid.output.end()

    def on_event(self, event: Event) -> bool:
        """A message passes. True: it goes no further. It may be answered and changed in place."""
        return False

    def updated(self, name: str) -> None:
        """The live option `name` has a new value."""

    def interrupt(self) -> None:
        """It is to end while a turn of it runs on its own thread: what waits there may be made to come back.

        Called on the session's thread; nothing has to happen.
        """

    def close(self) -> None:
        """Lets go of everything. Called once, on the filter's thread, also after a failure."""

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        """What it will make of a stream with `properties`, one dict a PID. For `explain()`."""
        return [{**properties, **caps.made()} for caps in self.outputs]

    def preferred(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of all that it accepts, what a stream with `properties` that does not fit should become.

        Property -> value or choices; the resolver tries these first. By default it does not care.
        """
        return {}

    def demand(self, properties: Mapping[str, Any]) -> Demand | None:
        """A converter that a stream with `properties` goes through before it comes here, even if it fits.

        None: whatever makes it fit. Raises LinkError for a stream that shall not be converted and must.
        """
        return None

    def check_inputs(self, streams: Mapping[str, Mapping[str, Any]]) -> None:
        """Raises LinkError where it cannot take all these streams (PID name -> properties) together.

        Called with what is planned, before anything is opened for writing. By default all is well.
        """

    def check_input(self, name: str, properties: Mapping[str, Any], link: Link | None = None) -> None:
        """Raises LinkError where it cannot take the stream `name` while it runs; before anything is changed.

        `link`: the input that the stream is to feed from now on; None: it would be another input. Called on
        the session's thread, perhaps while the filter is in a turn on its own. By default all is well.
        """

    # What the author calls

    def new_pid(self, name: str = "", *, of: Link | None = None, **properties: Any) -> Pid:
        """A new output PID. With `of`, it starts with that input's properties and timeline, and ends with it.

        It is linked when the running call returns; what is sent before waits inside it.
        """
        if of is not None:
            properties = {**of.properties, **properties}
            name = name or of.name
        pid = Pid(self, name or f"out{len(self.opids) + len(self.unlinked) + 1}", properties)
        if of is not None:
            of.output = pid
            pid.timeline = of.pid.timeline
        self.unlinked.append(pid)
        return pid

    def output_for(self, pid: Link, properties: Mapping[str, Any]) -> Pid:
        """The output that carries `pid` on, with these properties and no others; the first time a new one."""
        output = pid.output if pid.output is not None else self.new_pid(of=pid)
        output.replace_properties(properties)
        return output

    def wake(self) -> None:
        """Asks for a turn, as news would. From any thread."""
        self.context.wake(self)

    def number_of(self, pid: Link) -> int:
        """The number of an input: what the application says (`input_number`), else its place in `ipids`."""
        number = None if self.input_number is None else self.input_number(pid)
        return self.ipids.index(pid) if number is None else number

    def post_message(self, name: str, **fields: Any) -> None:
        """Tells the application something, where it listens (`on_message`): `level` and its figures."""
        if self.on_message is not None:
            self.on_message(name, fields)

    # Links

    def set_source(self, source: Filter | Output, selector: str = "") -> None:
        """This filter takes its input from `source`, and from other declared sources, only.

        `selector` says which PIDs: "#PID=1", "#audio", "#video2", "#Width+640" (see graph.select).
        """
        output = source if isinstance(source, Output) else Output(source)
        if not isinstance(output.filter, Filter):
            raise OptionError(f"{source!r} is no filter", hint="pass what load_src() or load() returned")
        if selector:
            output = output.filter.select(selector)
        self._wiring().declare(output.filter, self, output.selector)

    @property
    def video(self) -> Output:
        """Its video PIDs, to be linked with `>>`."""
        return self.select("#video")

    @property
    def audio(self) -> Output:
        """Its audio PIDs, to be linked with `>>`."""
        return self.select("#audio")

    @property
    def text(self) -> Output:
        """Its text and subtitle PIDs, to be linked with `>>`."""
        return self.select("#text")

    def select(self, selector: str) -> Output:
        """The PIDs that `selector` matches, to be linked with `>>`."""
        from reelway.graph.select import Selector  # reads the table of properties: for who needs it

        chosen = Selector.parse(selector)
        if chosen.source:
            raise OptionError(
                f"{selector!r} selects nothing", hint=f"a selector begins with #: '#{selector}'"
            )
        return Output(self, chosen)

    def __rshift__(self, consumer: Filter) -> Filter:
        """`a >> b`: b takes from a, and a gives only to filters that were declared so. The value is b."""
        return Output(self) >> consumer

    @property
    def sources(self) -> list[Filter]:
        """The filters that feed it, each once."""
        return list(dict.fromkeys(link.source for link in self.ipids))

    @property
    def destinations(self) -> list[Filter]:
        """The filters that it feeds, each once."""
        return list(dict.fromkeys(link.filter for pid in self.opids for link in pid.links))

    def statistics(self) -> Any:
        """Its figures so far, a `runtime.statistics.FilterStatistics`; immutable. From any thread."""
        return self.context.statistics(self)

    def send_event(self, event: Event) -> None:
        """Sends `event` upstream through all inputs; a source gets it itself."""
        if self.ipids:
            for link in tuple(self.ipids):
                link.send_event(event)
        else:
            self.context.deliver(self, event)

    def _wiring(self) -> Wiring:
        if self.wiring is None:
            raise StateError(f"{self.name} is in no session", hint="add it first: session.add(filter)")
        return self.wiring

    # Options

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Its options by name, as declared."""
        return declared(cls)

    def accepts_option(self, name: str) -> bool:
        """True for a name that is not declared but is known to whatever the filter wraps."""
        return False

    def set_options(self, options: dict[str, Any]) -> None:
        """Sets options, before the session runs. Raises OptionError, also for an unknown name."""
        known = {name: value for name, value in options.items() if not self.accepts_option(name)}
        apply(self, known)
        self.given.update(options)

    def set_defaults(self, defaults: Mapping[str, Any]) -> None:
        """Sets those of its options that nobody has said otherwise."""
        mine = [name for name in defaults if name in self.options() and name not in self.given]
        self.set_options({name: defaults[name] for name in mine})

    def update(self, name: str, value: Any) -> None:
        """Changes an option while the session runs, before the filter's next turn; from any thread.

        Raises OptionError where there is no such option, the value does not fit, or it cannot change now.
        """
        if not self.opened:
            self.set_options({name: value})
            return
        found = self.options().get(name)
        if found is None or not found.live:
            apply(self, {name: value}, running=True)  # raises, saying which of the two it is
            return
        fitted = found.fit(value, f"{self.name}:{name}")

        def change() -> None:
            setattr(self, name, fitted)
            self.updated(name)

        self.context.call(self, change)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
