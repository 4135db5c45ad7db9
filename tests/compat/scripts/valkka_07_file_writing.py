# In the manner of Valkka's lessons: a camera is watched all the time, and recorded for a while.
# The recording is played afterwards.
#
#   (LiveThread) --> {fork} --> {file writer}
#                       |
#                       +-->> (AVThread) -->> (OpenGLThread)
import os
import time

from valkka.core import *

filename = os.environ["DEST"]
seconds = float(os.environ.get("SECONDS_TO_RUN", "10"))

glthread = OpenGLThread("glthread")
avthread = AVThread("avthread", glthread.getFrameFilter())
file_filter = FileFrameFilter("file_filter")
fork = ForkFrameFilter("fork", file_filter, avthread.getFrameFilter())
livethread = LiveThread("livethread")
ctx = LiveConnectionContext(LiveConnectionType_rtsp, os.environ["RTSP"], 1, fork)

glthread.startCall()
avthread.startCall()
livethread.startCall()
avthread.decodingOnCall()
livethread.registerStreamCall(ctx)
livethread.playStreamCall(ctx)

window_id = glthread.createWindow()
glthread.newRenderGroupCall(window_id)
context_id = glthread.newRenderContextCall(1, window_id, 0)
time.sleep(1)

print("recording:", file_filter.activate(filename))
time.sleep(seconds)
print("recorded:", file_filter.deActivate())

livethread.stopStreamCall(ctx)
livethread.deregisterStreamCall(ctx)
livethread.stopCall()

# the same chain plays the file
played = BriefInfoFrameFilter("played", avthread.getFrameFilter())
filethread = FileThread("filethread")
filethread.startCall()
file_ctx = FileContext(filename, 1, played)
filethread.openFileStreamCall(file_ctx)
if file_ctx.status == FileState_error:
    print("cannot open", filename)
else:
    filethread.playFileStreamCall(file_ctx)
    time.sleep(seconds / 2)
    filethread.closeFileStreamCall(file_ctx)
filethread.stopCall()

glthread.delRenderContextCall(context_id)
glthread.delRenderGroupCall(window_id)
avthread.stopCall()
glthread.stopCall()
print("bye")
