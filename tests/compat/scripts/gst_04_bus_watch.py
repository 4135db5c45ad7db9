"""A main loop, messages as signals, and a clock that asks for the position."""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst


class Player:
    def __init__(self):
        text = "audiotestsrc num-buffers=20 samplesperbuffer=4410 ! audioconvert ! fakesink name=out sync=true"
        self.pipeline = Gst.parse_launch(text)
        self.loop = GLib.MainLoop()
        self.states = []
        self.positions = []
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::eos", self.on_eos)
        bus.connect("message::error", self.on_error)
        bus.connect("message::state-changed", self.on_state_changed)
        bus.connect("message::application", self.on_application, "with data")

    def on_eos(self, bus, message):
        print("eos from", message.src.get_name())
        self.loop.quit()

    def on_error(self, bus, message):
        error, debug = message.parse_error()
        print("error:", error.message, debug)
        self.loop.quit()

    def on_state_changed(self, bus, message):
        if message.src == self.pipeline:
            old, new, pending = message.parse_state_changed()
            self.states.append((old.value_nick, new.value_nick))

    def on_application(self, bus, message, data):
        print("application:", message.get_structure().get_name(), message.get_structure().get_value("answer"), data)

    def ask(self):
        there, position = self.pipeline.query_position(Gst.Format.TIME)
        if there:
            self.positions.append(position)
        return True

    def say(self):
        structure = Gst.Structure.new_empty("hello")
        structure.set_value("answer", 42)
        self.pipeline.post_message(Gst.Message.new_application(self.pipeline, structure))
        return GLib.SOURCE_REMOVE

    def run(self):
        GLib.timeout_add(100, self.ask)
        GLib.idle_add(self.say)
        self.pipeline.set_state(Gst.State.PLAYING)
        try:
            self.loop.run()
        finally:
            self.pipeline.set_state(Gst.State.NULL)


Gst.init(sys.argv)
player = Player()
player.run()
print(player.states)
print("asked often:", len(player.positions) >= 10, "upwards:", player.positions == sorted(player.positions))
print("within two seconds:", all(0 <= position <= 2 * Gst.SECOND for position in player.positions))
