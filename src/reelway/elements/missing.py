"""Elements that people know and that are not here: what to use in their place."""

from __future__ import annotations

from reelway.elements.kinds import ElementKind

__all__ = ["KINDS"]

_MISSING = {
    "kmssink": "Shows pictures without a desktop | autovideosink with SDL_VIDEODRIVER=kmsdrm",
    "fbdevsink": "Shows pictures without a desktop | autovideosink with SDL_VIDEODRIVER=kmsdrm",
    "gtksink": "Shows pictures in a widget | appsink, whose frames the widget draws, or autovideosink",
    "gtkglsink": "Shows pictures in a widget | appsink, whose frames the widget draws, or autovideosink",
    "qmlglsink": "Shows pictures in a widget | appsink, whose frames the widget draws, or autovideosink",
    "omxh264enc": "H.264 on a board's encoder | x264enc",
    "omxh264dec": "H.264 on a board's decoder | avdec_h264",
    "v4l2h264enc": "H.264 on a board's encoder | x264enc",
    "v4l2h264dec": "H.264 on a board's decoder | avdec_h264",
    "vaapih264enc": "H.264 on a graphics card | x264enc",
    "vaapih264dec": "H.264 on a graphics card | avdec_h264",
    "vaapipostproc": "Converts on a graphics card | videoconvertscale",
    "vah264enc": "H.264 on a graphics card | x264enc",
    "vah264dec": "H.264 on a graphics card | avdec_h264",
    "qsvh264enc": "H.264 on a graphics card | x264enc",
    "openh264enc": "H.264, with OpenH264 | x264enc",
    "openh264dec": "H.264, with OpenH264 | avdec_h264",
    "theoraenc": "Theora, which FFmpeg here cannot encode | vp8enc or vp9enc",
    "nvstreammux": "Batches of pictures for inference | a tee and appsinks, one for each stream",
    "nvinfer": "Inference on pictures | appsink or a metadata producer (--ext), which runs your model",
    "nvdsosd": "Draws what was found | a metadata producer (--ext) that draws, or textoverlay",
    "nvmultistreamtiler": "Several pictures in one | compositor",
    "nvarguscamerasrc": "Pictures of a board's camera | v4l2src",
    "libcamerasrc": "Pictures of a camera | v4l2src",
    "autovideosrc": "Pictures of some camera | v4l2src device=/dev/video0",
    "autoaudiosrc": "Sound of some microphone | alsasrc",
    "pulsesrc": "Sound of a microphone | alsasrc",
    "rtph264pay": "H.264 for RTP | rtpsink uri=rtp://host:port, for udpsink too",
    "rtph265pay": "H.265 for RTP | rtpsink uri=rtp://host:port, for udpsink too",
    "rtpvp8pay": "VP8 for RTP | rtpsink uri=rtp://host:port, for udpsink too",
    "rtpmp4gpay": "AAC for RTP | rtpsink uri=rtp://host:port, for udpsink too",
    "rtpopuspay": "Opus for RTP | rtpsink uri=rtp://host:port, for udpsink too",
    "rtpbin": "Sessions of RTP | rtspsrc for those that come, rtpsink for those that go",
    "rtpmp2tdepay": "MPEG-TS out of RTP | udpsrc ! tsdemux",
    "webrtcbin": "A call with a browser | rtmpsink or udpsink, to a server that makes such calls",
    "whipclientsink": "Publishes to a browser | rtmpsink",
    "hlssink": "HLS | mpegtsmux ! filesink",
    "hlssink2": "HLS | mpegtsmux ! filesink",
    "hlsdemux": "Opens HLS | uridecodebin uri=https://...m3u8",
    "dashdemux": "Opens DASH | uridecodebin, with the URL of one of its streams",
    "splitmuxsink": "Files of some length each | mp4mux ! filesink, one pipeline for each file",
    "splitmuxsrc": "Reads such files | concat, with a filesrc for each",
    "rtspclientsink": "Publishes at an RTSP server | rtmpsink",
    "souphttpclientsink": "Uploads over HTTP | tcpclientsink, or filesink and an upload",
    "tcpserversink": "Serves over TCP | tcpclientsink, to a server",
    "tcpserversrc": "Is served over TCP | tcpclientsrc",
    "rtmp2sink": "Publishes at an RTMP server | rtmpsink",
    "rtmpsrc": "Reads from an RTMP server | uridecodebin uri=rtmp://...",
    "srtsink": "Sends over SRT, which FFmpeg here does not speak | mpegtsmux ! udpsink",
    "srtsrc": "Receives over SRT, which FFmpeg here does not speak | udpsrc",
    "shmsink": "To another process | appsink",
    "shmsrc": "From another process | appsrc",
    "giosrc": "Reads an address | urisourcebin",
    "rawvideoparse": "Pictures out of plain bytes | appsrc with caps, which takes pictures as bytes",
    "rawaudioparse": "Sound out of plain bytes | appsrc with caps, which takes sound as bytes",
    "subparse": "Subtitles out of text | decodebin",
    "dvdemux": "Opens DV | decodebin",
    "deinterlace": "Whole pictures out of fields | videoconvert, which leaves them as they are",
    "alpha": "Transparency by colour | compositor, whose inputs have alpha each",
    "cairooverlay": "Draws with Cairo | textoverlay, gdkpixbufoverlay, or a filter of your own",
    "audioecho": "An echo | volume, or a filter of your own",
    "equalizer-10bands": "Louder by frequency | volume, or a filter of your own",
    "spectrum": "How loud each frequency is | level, or a filter of your own",
    "wavescope": "Sound as pictures | level",
    "glupload": "Pictures to the graphics card | videoconvert",
    "gldownload": "Pictures from the graphics card | videoconvert",
    "glcolorconvert": "Converts on the graphics card | videoconvert",
    "fpsdisplaysink": "Shows pictures and how many a second | autovideosink",
}
"""Name -> what it is for | what to use."""

KINDS = tuple(
    ElementKind(name, text.partition(" | ")[0], "", role="missing", instead=text.partition(" | ")[2])
    for name, text in _MISSING.items()
)
