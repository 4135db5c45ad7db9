# From GPAC's document about its Python. Adapted only so far as
# the document's fragment needs to run by itself: the source comes from the environment; vout is replaced by DEST.
import os
import sys
import types

import libgpac as gpac

fs = gpac.FilterSession(gpac.GF_FS_FLAG_NON_BLOCKING)
f1 = fs.load_src(os.environ.get("SOURCE", "file.mp4"))
f2 = fs.load_dst(os.environ.get("DEST", "test.ts"))
while True:
	pass

	#call session
	fs.run()

	#if last task, GPAC session is done
	if fs.last_task:
		break

fs.delete()
gpac.close()
