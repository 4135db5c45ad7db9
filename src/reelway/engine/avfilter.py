"""Any filter graph of FFmpeg's, with any number of inputs and outputs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import av

from reelway.engine.errors import quotable
from reelway.engine.frame import AvFrames, CodecFrame, channel_layout
from reelway.engine.graphtext import GraphNode, parse_graph
from reelway.engine.rawformat import CODED_ONLY, MATRICES, code_of, picture_properties, sound_properties
from reelway.errors import LinkError, OptionError, ReelwayError, UnknownNameError
from reelway.graph.caps import Caps
from reelway.graph.filter import Filter
from reelway.graph.link import Link
from reelway.graph.merge import merge
from reelway.graph.option import REQUIRED, option
from reelway.graph.pid import Pid
from reelway.media.packet import Packet
from reelway.media.timebase import unify

__all__ = ["AVFilter"]


class _Pad(NamedTuple):
    """An input or output of the whole graph: the label it has in the text, and the filter it belongs to."""

    label: str
    node: Any
    arguments: str
    number: int


class AVFilter(Filter):
    """Runs a filter graph of FFmpeg's on raw video and audio: `avfilter:graph="hflip,negate"`.

    Its free inputs take the inputs of their kind (video, audio) in order; a label that is the name of an
    input, such as [video2], takes that one. Each free output is a PID, named by its label. Inputs are fed in
    the order of their times. When an input changes its format in mid-stream the graph begins anew.
    """

    registry_name = "avfilter"
    thread = "pool"
    inputs = (Caps(StreamType="Visual", CodecID="raw"), Caps(StreamType="Audio", CodecID="raw"))
    outputs = (Caps(CodecID="raw"),)

    graph: str = option(REQUIRED, aliases=("f",), help="FFmpeg's filter graph, as behind -filter_complex")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._nodes: list[GraphNode] = []
        self._running: _Graph | None = None
        self._made: dict[str, Pid] = {}
        self._unshown = False
        """What comes is decoded only to get to a place."""
        self._shown_from_s: Fraction | None = None
        if "graph" in self.given:
            self._nodes = parse_graph(self.graph)
            for node in self._nodes:
                if node.name not in av.filter.filters_available:
                    raise UnknownNameError.of("FFmpeg filter", node.name, av.filter.filters_available)
            self._narrow_inputs()

    def _narrow_inputs(self) -> None:
        """It takes what the graph takes; sound goes around a graph of pictures."""
        graph = av.filter.Graph()
        try:
            free, _ = _connect([(node, graph.add(node.name, node.arguments or None)) for node in self._nodes])
        except (av.error.FFmpegError, ValueError):
            return  # it is told when the graph is made, with what FFmpeg says
        kinds = {_kind_of(pad, "inputs") for pad in free}
        if len(kinds) == 1:
            self.inputs = (AVFilter.inputs["audio" in kinds],)  # type: ignore[misc, assignment]  # of this one

    def plan(self, properties: dict[str, Any]) -> list[dict[str, Any]]:
        return [{name: value for name, value in properties.items() if name not in CODED_ONLY}]

    def configure(self, pid: Link) -> None:
        if self._running is not None:
            self._send(self._running.finish())
            self._running = None
        pid.data = AvFrames(pid.properties)

    def process(self) -> float | None:
        if self._running is None:
            if not all(pid.configured for pid in self.ipids) or self.context.expects_inputs(self):
                return None
            self._running = _Graph(self._nodes, self.ipids)
        running = self._running
        left = 4
        for pid, packet in merge(self.ipids):
            self._look(pid, packet)
            frame = pid.data.of(packet)
            frame.pts = None if packet.cts is None else packet.cts + running.shift(pid)
            try:
                self._send(running.push(pid, frame))
            except (av.error.FFmpegError, ValueError) as error:
                raise OptionError(f"FFmpeg's graph {self.graph!r} fails: {error}") from quotable(error)
            left -= 1
            if not left:
                break
        return None

    def ended(self, pid: Link) -> None:
        if self._running is None and not pid.properties:
            super().ended(pid)
            return
        if self._running is None:
            self._running = _Graph(self._nodes, self.ipids)
        self._send(self._running.end(pid))
        super().ended(pid)

    def restarted(self, pid: Link) -> None:
        """What the graph holds is of the place before."""
        self._running = None
        self._unshown, self._shown_from_s = False, None
        super().restarted(pid)

    def close(self) -> None:
        self._running = None

    def _look(self, pid: Link, packet: Packet) -> None:
        """Keeps in mind from when on the first input is to be shown."""
        if pid is not self.ipids[0] or packet.seek == self._unshown:
            return
        self._unshown = packet.seek
        if not packet.seek and packet.cts is not None:
            self._shown_from_s = Fraction(packet.cts, pid.properties["Timescale"])

    def _send(self, made: list[tuple[str, Any]]) -> None:
        for label, frame in made:
            pid = self._output(label, frame)
            factor = pid.data[1]
            time = None if frame.pts is None else frame.pts * factor
            payload = CodecFrame(frame)
            duration = frame.duration * factor if frame.duration else None
            if isinstance(frame, av.AudioFrame):
                timescale: int = pid.properties["Timescale"]
                duration = round(Fraction(frame.samples * timescale, frame.sample_rate))
            packet = Packet(payload, time, time, duration, 1, payload.size)
            packet.seek = self._unshown or (
                self._shown_from_s is not None
                and time is not None
                and Fraction(time, pid.properties["Timescale"]) < self._shown_from_s
            )
            pid.send(packet)

    def _output(self, label: str, frame: Any) -> Pid:
        """The PID of an output, which says how this frame is made."""
        picture = isinstance(frame, av.VideoFrame)
        timescale, factor = unify(Fraction(frame.time_base))
        shape = (frame.width, frame.height) if picture else (frame.sample_rate, frame.layout.name)
        now = timescale, frame.format.name, shape
        pid = self._made.get(label)
        if pid is not None and pid.data == (now, factor):
            return pid
        said = picture_properties(frame, None) if picture else sound_properties(frame)
        said |= {"Timescale": timescale, "CodecID": "raw", "StreamType": "Visual" if picture else "Audio"}
        if picture:  # of the rate PyAV shows no more than how long a frame lasts
            said["FPS"] = 1 / (frame.duration * Fraction(frame.time_base)) if frame.duration else None
        if pid is None:
            like = next((i for i in self.ipids if i.properties.get("StreamType") == said["StreamType"]), None)
            kept = {
                name: value
                for name, value in (like.properties if like else {}).items()
                if name not in CODED_ONLY
            }
            made = {name: value for name, value in {**kept, **said}.items() if value is not None}
            pid = self._made[label] = self.new_pid(label, **made)
            if len(self.ipids) == 1:
                pid.timeline = self.ipids[0].pid.timeline
        else:
            pid.set(**said)
        pid.data = now, factor
        return pid


class _Graph:
    """The graph while it runs."""

    def __init__(self, nodes: list[GraphNode], inputs: list[Link]) -> None:
        self._graph = av.filter.Graph()
        self._shifts = _shifts(inputs)
        self._sources: dict[Link, Any] = {}
        self._sinks: list[tuple[str, Any]] = []
        self._ended: set[Link] = set()
        try:
            self._build(nodes, inputs)
            for link in inputs:
                if link.ended:
                    self._ended.add(link)
                    self._sources[link].push(None)
        except (av.error.FFmpegError, ValueError) as error:
            if isinstance(error, ReelwayError):
                raise
            raise OptionError(f"FFmpeg refuses the filter graph: {error}") from quotable(error)

    def _build(self, nodes: list[GraphNode], inputs: list[Link]) -> None:
        made = []
        for node in nodes:
            try:
                made.append((node, self._graph.add(node.name, node.arguments or None)))
            except (av.error.FFmpegError, ValueError) as error:
                raise OptionError(f"{node.name}={node.arguments}: {error}") from quotable(error)
        free_inputs, free_outputs = _connect(made)
        for pad, link in _assign(free_inputs, inputs):
            source = self._source(link)
            source.link_to(pad.node, 0, pad.number)
            self._sources[link] = source
        for number, pad in enumerate(free_outputs, 1):
            kind = _kind_of(pad, "outputs")
            sink = self._graph.add("abuffersink" if kind == "audio" else "buffersink")
            pad.node.link_to(sink, pad.number, 0)
            self._sinks.append((pad.label or f"{kind}{number}", sink))
        self._graph.configure()

    def shift(self, link: Link) -> int:
        """Ticks that put `link` where it lies on the running time, beside the other inputs."""
        return self._shifts.get(link, 0)

    def push(self, link: Link, frame: Any) -> list[tuple[str, Any]]:
        self._sources[link].push(frame)
        return self._pull()

    def end(self, link: Link) -> list[tuple[str, Any]]:
        if link in self._ended or link not in self._sources:
            return []
        self._ended.add(link)
        self._sources[link].push(None)
        return self._pull()

    def finish(self) -> list[tuple[str, Any]]:
        return [each for link in self._sources for each in self.end(link)]

    def _pull(self) -> list[tuple[str, Any]]:
        found = []
        for label, sink in self._sinks:
            while True:
                try:
                    found.append((label, sink.pull()))
                except (av.error.BlockingIOError, av.error.EOFError):
                    break
        return found

    def _source(self, link: Link) -> Any:
        properties = link.properties
        base = f"1/{properties['Timescale']}"
        if properties["StreamType"] == "Audio":
            return self._graph.add(
                "abuffer",
                sample_rate=str(properties["SampleRate"]),
                sample_fmt=properties["AudioFormat"],
                channel_layout=channel_layout(properties).name,
                time_base=base,
            )
        full = properties.get("FullRange")
        rate = {"frame_rate": str(Fraction(properties["FPS"]))} if properties.get("FPS") else {}
        return self._graph.add(
            "buffer",
            video_size=f"{properties['Width']}x{properties['Height']}",
            pix_fmt=properties["PixelFormat"],
            time_base=base,
            pixel_aspect=str(Fraction(properties.get("SAR") or 1)),
            colorspace=str(code_of(properties.get("ColorMatrix"), MATRICES)),
            range=str(0 if full is None else 2 if full else 1),
            **rate,
        )


def _connect(made: list[tuple[GraphNode, Any]]) -> tuple[list[_Pad], list[_Pad]]:
    """Links what the text links; what is left are the inputs and outputs of the whole."""
    waiting: dict[str, _Pad] = {}
    wanted: list[tuple[str, _Pad]] = []
    free_inputs: list[_Pad] = []
    free_outputs: list[_Pad] = []
    before: list[_Pad] = []
    for node, context in made:
        ins = [_Pad(_label(node.inputs, n), context, node.arguments, n) for n in range(len(context.inputs))]
        outs = [
            _Pad(_label(node.outputs, n), context, node.arguments, n) for n in range(len(context.outputs))
        ]
        for labels, pads, what in ((node.inputs, ins, "inputs"), (node.outputs, outs, "outputs")):
            if len(labels) > len(pads):
                raise OptionError(f"{node.name} has {len(pads)} {what}, but {len(labels)} labels")
        open_ins = [pad for pad in ins if not pad.label]
        if not node.follows:
            free_outputs += before
        else:
            for here, there in zip(before, open_ins, strict=False):
                here.node.link_to(there.node, here.number, there.number)
            free_outputs += before[len(open_ins) :]
            open_ins = open_ins[len(before) :]
        free_inputs += open_ins
        wanted += [(pad.label, pad) for pad in ins if pad.label]
        waiting |= {pad.label: pad for pad in outs if pad.label}
        before = [pad for pad in outs if not pad.label]
    free_outputs += before
    for label, pad in wanted:
        source = waiting.pop(label, None)
        if source is None:
            free_inputs.append(pad)
        else:
            source.node.link_to(pad.node, source.number, pad.number)
    return free_inputs, [*waiting.values(), *free_outputs]


def _label(labels: tuple[str, ...], number: int) -> str:
    return labels[number] if number < len(labels) else ""


def _assign(pads: list[_Pad], links: list[Link]) -> list[tuple[_Pad, Link]]:
    """Which input goes where: by name first, then by kind in order. Raises LinkError for what is left."""
    left = list(links)
    found: list[tuple[_Pad, Link]] = []
    unnamed: list[_Pad] = []
    for pad in pads:
        named = next((link for link in left if pad.label == link.name), None)
        if named is None:
            unnamed.append(pad)
        else:
            left.remove(named)
            found.append((pad, named))
    for pad in unnamed:
        kind = _kind_of(pad, "inputs")
        fits = next((link for link in left if _kind(link) == kind), None)
        if fits is None:
            raise LinkError(
                f"the filter graph takes {len(pads)} inputs; there is no {kind} for "
                f"{f'[{pad.label}]' if pad.label else pad.node.filter.name}",
                hint=f"its inputs are {', '.join(link.name for link in links) or 'none'}",
            )
        left.remove(fits)
        found.append((pad, fits))
    if left:
        raise LinkError(
            f"the filter graph has no input for {left[0].name}",
            hint="select what goes into it: source.video >> filter",
        )
    return found


def _kind(link: Link) -> str:
    return "audio" if link.properties.get("StreamType") == "Audio" else "video"


def _kind_of(pad: _Pad, side: str) -> str:
    """`video` or `audio`: PyAV does not say, but FFmpeg refuses to link what does not fit."""
    trial = av.filter.Graph()
    copy = trial.add(pad.node.filter.name, pad.arguments or None)
    try:
        if side == "inputs":
            trial.add("nullsrc").link_to(copy, 0, pad.number)
        else:
            copy.link_to(trial.add("nullsink"), pad.number, 0)
    except (av.error.FFmpegError, ValueError):
        return "audio"
    return "video"


def _shifts(links: list[Link]) -> dict[Link, int]:
    if len(links) < 2:
        return {}
    timescales = {link: link.properties["Timescale"] for link in links}
    return {link: round(link.pid.timeline.running_s(0, scale) * scale) for link, scale in timescales.items()}
