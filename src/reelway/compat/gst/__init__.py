"""The face of GStreamer's Python binding: gi's names on Reelway's public API. Never here: media work, av.

A script that `reelway script` runs imports `gi` and gets `reelway.compat.gi`, whose `repository` has the
namespaces below. In a program of one's own: `from reelway.compat.gi.repository import Gst, GLib`.

    glib, gobject                      main loop and sources; objects, properties, signals
    gstreamer, app, base, video, audio the namespaces Gst, GstApp, GstBase, GstVideo, GstAudio

The other modules hold what these show.
"""
