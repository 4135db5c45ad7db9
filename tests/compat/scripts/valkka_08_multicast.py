# In the manner of Valkka's lessons: a camera is connected to once, and sent on to a multicast group, where
# anybody may read it:
#
#   ffplay -protocol_whitelist file,rtp,udp multicast.sdp
import os
import time

from valkka.core import *

group = os.environ.get("GROUP", "224.1.168.91")
port = int(os.environ.get("PORT", "50000"))

# as large as the largest keyframe
setLiveOutPacketBuffermaxSize(95000)

livethread_out = LiveThread("livethread_out")
info = BriefInfoFrameFilter("on its way", livethread_out.getFrameFilter())
livethread_in = LiveThread("livethread_in")

livethread_out.startCall()
livethread_in.startCall()

# frames of the camera have slot 2, and what has slot 2 goes to the group
ctx = LiveConnectionContext(LiveConnectionType_rtsp, os.environ["RTSP"], 2, info)
out_ctx = LiveOutboundContext(LiveConnectionType_sdp, group, 2, port)
out_ctx.ttl = 1
if "INTERFACE" in os.environ:
    out_ctx.localaddr = os.environ["INTERFACE"]

with open(os.environ.get("DEST", "multicast.sdp"), "w") as sdp:
    sdp.write(
        """v=0
o=- 0 0 IN IP4 127.0.0.1
s=camera
c=IN IP4 %s/1
t=0 0
m=video %i RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
"""
        % (group, port)
    )

livethread_out.registerOutboundCall(out_ctx)
livethread_in.registerStreamCall(ctx)
livethread_in.playStreamCall(ctx)

time.sleep(float(os.environ.get("SECONDS_TO_RUN", "60")))

livethread_in.stopStreamCall(ctx)
livethread_in.deregisterStreamCall(ctx)
livethread_out.deregisterOutboundCall(out_ctx)

# from the beginning of the stream to its end
livethread_in.stopCall()
livethread_out.stopCall()
print("bye")
