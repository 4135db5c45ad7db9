"""decodebin finds out what is in a file; its pads are linked as they appear."""

import os
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

Gst.init(None)

pipeline = Gst.Pipeline.new("player")
source = Gst.ElementFactory.make("filesrc", None)
source.set_property("location", os.environ["SOURCE"])
decoder = Gst.ElementFactory.make("decodebin", None)
pipeline.add(source, decoder)
source.link(decoder)

counts = {}
chains = {}


def on_buffer(sink, buffer, pad, kind):
    counts[kind] = counts.get(kind, 0) + 1


for kind, converter in (("video", "videoconvert"), ("audio", "audioconvert")):
    queue = Gst.ElementFactory.make("queue", kind + "-queue")
    convert = Gst.ElementFactory.make(converter, None)
    sink = Gst.ElementFactory.make("fakesink", kind + "-sink")
    sink.set_property("signal-handoffs", True)
    sink.connect("handoff", on_buffer, kind)
    pipeline.add(queue, convert, sink)
    queue.link(convert)
    convert.link(sink)
    chains[kind] = queue


def on_pad_added(element, pad):
    caps = pad.get_current_caps() or pad.query_caps(None)
    name = caps.get_structure(0).get_name()
    kind = name.split("/")[0]
    sink = chains[kind].get_static_pad("sink")
    if sink.is_linked():
        print("already linked:", name)
        return
    linked = pad.link(sink)
    print("pad of", element.get_factory().get_name(), name, linked == Gst.PadLinkReturn.OK)


decoder.connect("pad-added", on_pad_added)
decoder.connect("no-more-pads", lambda element: print("no more pads"))

loop = GLib.MainLoop()


def on_message(bus, message):
    if message.type == Gst.MessageType.EOS:
        loop.quit()
    elif message.type == Gst.MessageType.ERROR:
        print("error:", message.parse_error())
        loop.quit()
    return True


pipeline.get_bus().add_watch(GLib.PRIORITY_DEFAULT, on_message)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
there, duration = pipeline.query_duration(Gst.Format.TIME)
pipeline.set_state(Gst.State.NULL)
print("buffers:", counts["video"], counts["audio"] > 0, "duration:", there, round(duration / Gst.SECOND, 1))
