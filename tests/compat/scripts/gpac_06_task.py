# From GPAC's document about its Python. Adapted only so far as
# the document's fragment needs to run by itself: a source and a destination give the task something to watch.
import os
import sys
import types

import libgpac as gpac

fs = gpac.FilterSession()
fs.load_src(os.environ.get("SOURCE", "file.mp4"))
fs.load_dst(os.environ.get("DEST", "test.ts"))

#custom task callback 
#- returns -1: indicates the task is done, it will no longer get called and will be destroyed
#- returns >=0 (None handled as 0): indicates the task is still active and should be
#called again in the returned number of milliseconds
#
def my_exec(self):
	if (self.session.last_task):
		print("No more tasks, we are done")
		return -1
	print("In callback, nb filters: " + str(self.session.nb_filters))
	return 500

#create the custom task
task = gpac.FilterTask('testtask')
task.execute = types.MethodType(my_exec, task)
task.count=0
fs.post(task)

fs.run()

fs.delete()
gpac.close()
