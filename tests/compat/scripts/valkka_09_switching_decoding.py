# In the manner of Valkka's lessons: decoding is switched off while nobody looks, and on again. The stream
# goes on all the time, so that it shows the picture of the moment when decoding is switched on.
import os
import time

from valkka.core import *

seconds = float(os.environ.get("SECONDS_TO_RUN", "3"))

glthread = OpenGLThread("glthread")
decoded = BriefInfoFrameFilter("decoded", glthread.getFrameFilter())
avthread = AVThread("avthread", decoded)
coded = BriefInfoFrameFilter("coded", avthread.getFrameFilter())
livethread = LiveThread("livethread")
ctx = LiveConnectionContext(LiveConnectionType_rtsp, os.environ["RTSP"], 1, coded)

glthread.startCall()
avthread.startCall()
livethread.startCall()

window_id = glthread.createWindow()
glthread.newRenderGroupCall(window_id)
context_id = glthread.newRenderContextCall(1, window_id, 0)

livethread.registerStreamCall(ctx)
livethread.playStreamCall(ctx)

for turn in range(2):
    print("decoding on")
    avthread.decodingOnCall()
    time.sleep(seconds)
    avthread.decodingOffCall()
    print("decoding off")
    time.sleep(seconds)

glthread.delRenderContextCall(context_id)
glthread.delRenderGroupCall(window_id)
livethread.stopCall()
avthread.stopCall()
glthread.stopCall()
print("bye")
