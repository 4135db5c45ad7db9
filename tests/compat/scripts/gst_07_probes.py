"""Probes at pads: buffers are counted and dropped; events are seen; a probe removes itself."""

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

Gst.init(None)
text = (
    "videotestsrc num-buffers=30 pattern=black ! video/x-raw,format=GRAY8,width=16,height=8,framerate=10/1 "
    "! identity name=middle ! appsink name=out sync=false"
)
pipeline = Gst.parse_launch(text)
seen = {"all": 0, "once": 0, "events": []}


def every_other(pad, info):
    seen["all"] += 1
    return Gst.PadProbeReturn.DROP if seen["all"] % 2 else Gst.PadProbeReturn.OK


def only_once(pad, info):
    seen["once"] += 1
    return Gst.PadProbeReturn.REMOVE


def on_event(pad, info):
    event = info.get_event()
    if event.type in (Gst.EventType.CAPS, Gst.EventType.EOS):
        seen["events"].append(Gst.EventType.get_name(event.type))
    return Gst.PadProbeReturn.OK


middle = pipeline.get_by_name("middle")
middle.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, every_other)
middle.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, only_once)
middle.get_static_pad("src").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, on_event)
gone = middle.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, lambda pad, info: print("never"))
middle.get_static_pad("src").remove_probe(gone)

sink = pipeline.get_by_name("out")
pipeline.set_state(Gst.State.PLAYING)
times, sizes = [], set()
while True:
    sample = sink.emit("pull-sample")
    if sample is None:
        break
    buffer = sample.get_buffer()
    times.append(buffer.pts // (Gst.SECOND // 10))
    sizes.add(buffer.get_size())
pipeline.set_state(Gst.State.NULL)
print("came:", len(times), times[:3], "of", seen["all"])
print("sizes:", sizes)
print("once:", seen["once"], "events:", seen["events"])
