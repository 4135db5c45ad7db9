"""A relay of datagrams on loopback that loses some of them: always the same ones."""

from __future__ import annotations

import random
import select
import socket
import threading


class LossyRelay:
    """What comes to `port` goes on to `target`, but for a share `loss` of it; also on port + 1, for RTCP."""

    def __init__(self, port: int, target: int, loss: float, *, seed: int = 1) -> None:
        self.loss, self.lost, self.passed = loss, 0, 0
        self._random = random.Random(seed)
        self._routes: dict[socket.socket, int] = {}
        for offset in (0, 1):
            listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            listener.bind(("127.0.0.1", port + offset))
            self._routes[listener] = target + offset
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._relay)
        self._thread.start()

    def lead_to(self, target: int) -> None:
        """From now on."""
        for offset, listener in enumerate(self._routes):
            self._routes[listener] = target + offset

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for listener in self._routes:
            listener.close()

    def _relay(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not self._over.is_set():
                for listener in select.select(list(self._routes), [], [], 0.1)[0]:
                    data = listener.recv(65536)
                    if self._random.random() < self.loss:
                        self.lost += 1
                        continue
                    self.passed += 1
                    out.sendto(data, ("127.0.0.1", self._routes[listener]))
