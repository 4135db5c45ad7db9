"""Elements of NVIDIA's boards and cards, mapped to what the machine has."""

from __future__ import annotations

from reelway.elements.coders import encoder
from reelway.elements.declare import U32, boolean, choices, enum, integer, string
from reelway.elements.decoders import decoder
from reelway.elements.kinds import ElementKind
from reelway.elements.sinks import window
from reelway.elements.video import converter

__all__ = ["KINDS"]

_MEMORY = (
    enum(
        "nvbuf-memory-type",
        "nvbuf-mem-default",
        choices(
            "nvbuf-mem-default", "nvbuf-mem-cuda-pinned", "nvbuf-mem-cuda-device", "nvbuf-mem-cuda-unified"
        ),
        "where pictures are",
        ignored=True,
    ),
    integer("gpu-id", 0, "which card", low=0, high=U32, ignored=True),
)
_IN_MEMORY = "pictures are converted in main memory"
_CUDA = {"hwaccel": "cuda"}
_DECODED = "decoded on the graphics card where there is one, else by the processor"
_CODED = "encoded by the processor"


def _v4l2_encoder(name: str, help: str, codec: str, caps: str) -> ElementKind:
    return encoder(
        name,
        help,
        codec,
        caps,
        integer("bitrate", 4_000_000, "on average", "bitrate", unit="bit/s", low=1, high=U32),
        integer("iframeinterval", 30, "pictures between key frames", "gop", low=0, high=U32),
        integer("idrinterval", 256, "the same", low=0, high=U32, ignored=True),
        enum(
            "control-rate",
            "constant_bitrate",
            choices("variable_bitrate", "constant_bitrate"),
            "what is constant",
            ignored=True,
        ),
        boolean("insert-sps-pps", False, "in front of each key frame", ignored=True),
        integer("preset-level", 1, "speed against size", low=0, high=7, ignored=True),
        boolean("maxperf-enable", False, "as fast as can be", ignored=True),
        options={"preset": "veryfast"},
        note=_CODED,
    )


def _card_encoder(name: str, help: str, codec: str, caps: str) -> ElementKind:
    return encoder(
        name,
        help,
        codec,
        caps,
        integer(
            "bitrate",
            0,
            "on average; 0: chosen",
            "bitrate",
            unit="kbit/s",
            low=0,
            high=2_048_000,
            make=lambda kbit: 1000 * kbit or None,
        ),
        integer("gop-size", 75, "pictures between key frames; -1: no end", "gop", low=-1, make=_gop),
        string("preset", "default", "speed against size", ignored=True),
        string("rc-mode", "default", "what is constant", ignored=True),
        boolean("zerolatency", False, "nothing is held back", ignored=True),
        options={"preset": "veryfast"},
        note=_CODED,
    )


def _gop(count: int) -> int | None:
    return count if count > 0 else None


KINDS = (
    converter(
        "nvvideoconvert", "Pictures in the format and size that are asked for", *_MEMORY, note=_IN_MEMORY
    ),
    converter(
        "nvvidconv", "Pictures in the format and size that are asked for", *_MEMORY[1:], note=_IN_MEMORY
    ),
    decoder(
        "nvv4l2decoder",
        "H.264, H.265, VP8, VP9, AV1, JPEG",
        "video/x-h264; video/x-h265; video/x-vp8; video/x-vp9; video/x-av1; image/jpeg; video/mpeg",
        integer("gpu-id", 0, "which card", low=0, high=U32, ignored=True),
        integer("num-extra-surfaces", 0, "pictures to hold", low=0, high=U32, ignored=True),
        integer("drop-frame-interval", 0, "every how manieth is kept", low=0, high=U32, ignored=True),
        boolean("enable-max-performance", False, "as fast as can be", ignored=True),
        boolean("low-latency-mode", False, "nothing is held back", ignored=True),
        options=_CUDA,
        note=_DECODED,
    ),
    decoder("nvh264dec", "H.264", "video/x-h264", options=_CUDA, note=_DECODED),
    decoder("nvh265dec", "H.265", "video/x-h265", options=_CUDA, note=_DECODED),
    _v4l2_encoder("nvv4l2h264enc", "H.264", "libx264", "video/x-h264"),
    _v4l2_encoder("nvv4l2h265enc", "H.265", "libx265", "video/x-h265"),
    _card_encoder("nvh264enc", "H.264", "libx264", "video/x-h264"),
    _card_encoder("nvh265enc", "H.265", "libx265", "video/x-h265"),
    window(
        "nveglglessink",
        "Shows pictures in a window",
        *_MEMORY[1:],
        note="shown in an SDL window",
    ),
    window("nv3dsink", "Shows pictures in a window", note="shown in an SDL window"),
)
