"""A program written for GPAC's Python, with one line changed: `import libgpac as gpac`.

    python examples/gpac_script.py [FILM [OUT]]

`reelway script FILE` runs such a program with no line changed.
"""

from __future__ import annotations

import sys

from sample import make_film

import reelway.compat.libgpac as gpac


class Forward(gpac.FilterCustom):
    """Passes compressed video on, and counts random access points."""

    def __init__(self, session: gpac.FilterSession) -> None:
        super().__init__(session, "Forward")
        self.push_cap("StreamType", "Visual", gpac.GF_CAPS_INPUT_OUTPUT)
        self.outputs: dict[gpac.FilterPid, gpac.FilterPid] = {}
        self.random_access = 0

    def configure_pid(self, pid: gpac.FilterPid, is_remove: bool) -> int:
        if is_remove:
            return gpac.GF_OK
        if pid not in self.outputs:
            self.outputs[pid] = self.new_pid()
        self.outputs[pid].copy_props(pid)
        return gpac.GF_OK

    def process(self) -> int:
        for pid, output in self.outputs.items():
            packet = pid.get_packet()
            if packet is None:
                if pid.eos:
                    output.eos = True
                continue
            self.random_access += packet.sap > 0
            output.forward(packet)
            pid.drop_packet()
        return gpac.GF_OK


def main(film: str, out: str) -> None:
    gpac.init()
    session = gpac.FilterSession()
    source = session.load_src(film)
    forward = Forward(session)
    forward.set_source(source)
    sink = session.load_dst(out)
    sink.set_source(forward)
    session.run()
    print(f"{forward.random_access} random access points")
    session.delete()
    gpac.close()


if __name__ == "__main__":
    arguments = sys.argv[1:3]
    main(
        arguments[0] if arguments else str(make_film("film.mp4")),
        arguments[1] if len(arguments) > 1 else "out.mp4",
    )
