# From GPAC's document about its Python. Adapted only so far as
# the document's fragment needs to run by itself: the session is created and deleted.
import os
import sys
import types

import libgpac as gpac

fs = gpac.FilterSession()
#define a custom filter
class MyFilter(gpac.FilterCustom):
	def __init__(self, session):
		gpac.FilterCustom.__init__(self, session, "PYnspect")
		#indicate what we accept and produce - this can be done either in the constructor or after, but before running the session
		#here we only accept video streams as input, and do not produce any output
		self.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT)

	#callbacks must be defined before instantiating an object from this class

	#we accept one or more input video PID, we must configure them
	def configure_pid(self, pid, is_remove):
		if is_remove:
			return 0
		#PID is already registered with our filter, this is a reconfiguration
		if pid in self.ipids:
			print('PID reconfigured')
		#otherwise this is our first configure
		else:
			print('PID configured - props:')
			
			#enumerate all props using ourselves as the callback, getting called back in `on_prop_enum` below
			pid.enum_props(self)
			#we are a sink, we MUST fire a play event
			evt = gpac.FilterEvent(gpac.GF_FEVT_PLAY)
			pid.send_event(evt)
		return 0

	#process
	def process(self):
		for pid in self.ipids:
			pck = pid.get_packet()
			if pck==None:
				break


			print('Got Packet DTS ' + str(pck.dts) + ' CTS ' + str(pck.cts) + ' SAP ' + str(pck.sap) + ' dur ' + str(pck.dur) + ' size ' + str(pck.size))

			pid.drop_packet()
		return 0

	def on_prop_enum(self, pname, pval):
		print('Property ' + pname + ' value: ' + str(pval))

#load a source
my_src = fs.load_src(os.environ.get("SOURCE", "source.mp4"))

#load a custom filter
my_filter = MyFilter(fs)

#if needed, setup links between filters (in this example, only 2 filters explicitly loaded, no need for links)

#run the session
fs.run()



fs.delete()
gpac.close()
