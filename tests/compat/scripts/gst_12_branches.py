"""A branch of a tee is added while it plays, records for a while, and is removed."""

import os

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

Gst.init(None)
text = (
    "videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=30/1 ! tee name=t "
    "t. ! queue ! fakesink name=main sync=true"
)
pipeline = Gst.parse_launch(text)
tee = pipeline.get_by_name("t")
loop = GLib.MainLoop()
branch = {}
counts = {"main": 0}


def count(pad, info):
    counts["main"] += 1
    return Gst.PadProbeReturn.OK


pipeline.get_by_name("main").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, count)


def add_branch():
    recording = Gst.parse_bin_from_description(
        "queue name=begin ! x264enc speed-preset=ultrafast tune=zerolatency ! mp4mux ! filesink name=file", True
    )
    recording.get_by_name("file").set_property("location", os.environ["DEST"])
    pipeline.add(recording)
    recording.sync_state_with_parent()
    pad = tee.request_pad_simple("src_%u")
    result = pad.link(recording.get_static_pad("sink"))
    print("added:", pad.get_name(), result == Gst.PadLinkReturn.OK)
    branch.update(bin=recording, pad=pad)
    return False


def remove_branch():
    branch["pad"].add_probe(Gst.PadProbeType.IDLE, on_idle)
    return False


def on_idle(pad, info):
    recording = branch["bin"]
    sink = recording.get_static_pad("sink")
    pad.unlink(sink)
    end = recording.get_by_name("file").get_static_pad("sink")
    end.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, on_end)
    sink.send_event(Gst.Event.new_eos())
    tee.release_request_pad(pad)
    return Gst.PadProbeReturn.REMOVE


def on_end(pad, info):
    if info.get_event().type != Gst.EventType.EOS:
        return Gst.PadProbeReturn.OK
    GLib.idle_add(take_out)
    return Gst.PadProbeReturn.DROP


def take_out():
    recording = branch["bin"]
    recording.set_state(Gst.State.NULL)
    print("removed:", pipeline.remove(recording), pipeline.get_by_name("begin") is None)
    GLib.timeout_add(200, loop.quit)
    return False


GLib.timeout_add(200, add_branch)
GLib.timeout_add(1200, remove_branch)
GLib.timeout_add_seconds(20, loop.quit)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
print("main went on:", counts["main"] > 30)
