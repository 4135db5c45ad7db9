"""An RTSP server of GStreamer's, for Debian's own Python: it has `gi`, and nothing of Reelway is asked.

    /usr/bin/python3 rtspserver.py '{"port": 8554, "film": "units.pickle", "auth": "digest", ...}'

Serves rtsp://127.0.0.1:PORT/cam: coded pictures of the film over and over at their pace, the first of a
connection being the first of the film, as a camera does that was switched on just now. Says `ready` on its
output; ends when its input does.
"""

import json
import math
import os
import pickle
import struct
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

told = json.loads(sys.argv[1])
with open(told["film"], "rb") as file:
    UNITS = pickle.load(file)
FPS = told["fps"]
LOG = open(told["log"], "w", buffering=1) if told.get("log") else None  # noqa: SIM115 - until the process ends
PAY = {
    "h264": "h264parse ! rtph264pay config-interval=-1",
    "hevc": "h265parse ! rtph265pay config-interval=-1",
}
SOUND = {
    "alaw": (8000, "alawenc ! rtppcmapay name=pay1 pt=8"),
    "opus": (48000, "audioconvert ! opusenc ! rtpopuspay name=pay1 pt=97"),
    "l16": (48000, "audioconvert ! rtpL16pay name=pay1 pt=97"),
    "mulaw": (8000, "mulawenc ! rtppcmupay name=pay1 pt=0"),
    "aac": (48000, "audioconvert ! avenc_aac ! aacparse ! rtpmp4gpay name=pay1 pt=97"),
}


class Feeder:
    """Gives a source the next unit, `rate` a second, whenever the pipeline's clock says so."""

    def __init__(self, source, units, rate):
        self.source, self.units, self.rate = source, units, rate
        self.number = 0
        GLib.timeout_add(5, self.look)

    def look(self):
        clock, state = self.source.get_clock(), self.source.get_state(0)[1]
        if self.source.get_parent() is None:
            return False
        if clock is None or state != Gst.State.PLAYING:
            return True
        now = clock.get_time() - self.source.get_base_time()
        if self.number == 0:
            self.start = now
        while self.start + self.number * Gst.SECOND // self.rate <= now:
            buffer = Gst.Buffer.new_wrapped(self.units[self.number % len(self.units)])
            buffer.pts = buffer.dts = self.start + self.number * Gst.SECOND // self.rate
            buffer.duration = Gst.SECOND // self.rate
            if LOG is not None and self.units is UNITS:
                print(self.number, time.monotonic_ns(), file=LOG)
            self.number += 1
            if self.source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return False
        return True


Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(str(told["port"]))
factory = GstRtspServer.RTSPMediaFactory()
codec = told["codec"]
sound = ""
if told["sound"]:
    rate, coder = SOUND[told["sound"]]
    samples = [round(8000 * math.sin(2 * math.pi * 400 * i / rate)) for i in range(rate // 50)]
    TONE = struct.pack(f"<{len(samples)}h", *samples)
    sound = (
        "appsrc name=sound is-live=true format=time "
        f"caps=audio/x-raw,format=S16LE,layout=interleaved,rate={rate},channels=1 ! {coder}"
    )
factory.set_launch(
    f"( appsrc name=pictures is-live=true format=time caps=video/x-{'h265' if codec == 'hevc' else 'h264'},"
    f"stream-format=byte-stream,alignment=au,framerate={FPS}/1 ! {PAY[codec]} name=pay0 pt=96 "
    f"{sound} )"
)
factory.set_shared(told["shared"])
ways = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
protocols = GstRtsp.RTSPLowerTrans(0)
for way in told["transports"]:
    protocols |= ways[way]
factory.set_protocols(protocols)


def feed(_, media):
    find = media.get_element().get_by_name
    media.feeders = [Feeder(find("pictures"), UNITS, FPS)]
    if sound:
        media.feeders.append(Feeder(find("sound"), [TONE], 50))


factory.connect("media-configure", feed)
if told["auth"]:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)
    auth = GstRtspServer.RTSPAuth()
    if told["auth"] == "basic":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(told["user"], told["password"]), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(told["user"], told["password"], token)
    server.set_auth(auth)
    if told.get("tls"):
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(told["tls"]))
server.get_mount_points().add_factory("/cam", factory)
if not server.attach(None):
    sys.exit("the port is taken")


def until_input_ends():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=until_input_ends, daemon=True).start()
print("ready", flush=True)
GLib.MainLoop().run()
