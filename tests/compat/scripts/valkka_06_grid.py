# In the manner of Valkka's lessons: several cameras, one decoding thread each, in one window.
import os
import time

from valkka.core import *

addresses = os.environ["RTSP"].split()

glthread = OpenGLThread("glthread")
livethread = LiveThread("livethread")
chains = []
for slot, address in enumerate(addresses, start=1):
    avthread = AVThread("avthread %d" % slot, glthread.getFrameFilter())
    ctx = LiveConnectionContext(LiveConnectionType_rtsp, address, slot, avthread.getFrameFilter())
    chains.append((slot, avthread, ctx))

# end of the stream first
glthread.startCall()
for slot, avthread, ctx in chains:
    avthread.startCall()
    avthread.decodingOnCall()
livethread.startCall()

window_id = glthread.createWindow()
glthread.newRenderGroupCall(window_id)
context_ids = []
for slot, avthread, ctx in chains:
    context_ids.append(glthread.newRenderContextCall(slot, window_id, 0))
    livethread.registerStreamCall(ctx)
    livethread.playStreamCall(ctx)

time.sleep(float(os.environ.get("SECONDS_TO_RUN", "20")))

for context_id in context_ids:
    glthread.delRenderContextCall(context_id)
glthread.delRenderGroupCall(window_id)

livethread.stopCall()
for slot, avthread, ctx in chains:
    avthread.stopCall()
glthread.stopCall()
print("bye")
