"""Frames of a file as numpy arrays, by the signal new-sample."""

import os

import gi
import numpy as np

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import GLib, Gst, GstApp

Gst.init(None)
text = "filesrc name=file ! decodebin ! videoconvert ! videoscale ! capsfilter name=format ! appsink name=out"
pipeline = Gst.parse_launch(text)
pipeline.get_by_name("file").set_property("location", os.environ["SOURCE"])
wanted = Gst.Caps.new_empty_simple("video/x-raw")
wanted.set_value("format", "RGB")
wanted.set_value("width", 80)
wanted.set_value("height", 60)
pipeline.get_by_name("format").set_property("caps", wanted)
sink = pipeline.get_by_name("out")
sink.set_property("emit-signals", True)
sink.set_property("sync", False)
print(isinstance(sink, GstApp.AppSink), sink.get_property("emit-signals"))

frames = []


def on_new_sample(appsink):
    sample = appsink.pull_sample()
    structure = sample.get_caps().get_structure(0)
    width, height = structure.get_value("width"), structure.get_value("height")
    buffer = sample.get_buffer()
    there, mapped = buffer.map(Gst.MapFlags.READ)
    array = np.ndarray((height, width, 3), np.uint8, buffer=mapped.data).copy()
    buffer.unmap(mapped)
    frames.append((buffer.pts, array))
    return Gst.FlowReturn.OK


sink.connect("new-sample", on_new_sample)
loop = GLib.MainLoop()
bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message::eos", lambda bus, message: loop.quit())
bus.connect("message::error", lambda bus, message: (print(message.parse_error()), loop.quit()))
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)

print("frames:", len(frames), frames[0][1].shape, frames[0][1].dtype)
print("times go up:", all(one[0] < other[0] for one, other in zip(frames, frames[1:])))
print("frames differ:", len({array.tobytes() for _, array in frames}) > len(frames) // 2)
