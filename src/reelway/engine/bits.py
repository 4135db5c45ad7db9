"""Reading the bits of a NAL unit."""

from __future__ import annotations

__all__ = ["Bits"]


class Bits:
    """Reads a NAL unit's bits, emulation prevention removed (H.264, 7.3.1). Past the end it reads zeros."""

    def __init__(self, unit: bytes) -> None:
        plain = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(plain, "big") << 128
        self._left = len(plain) * 8 + 128

    def u(self, bits: int) -> int:
        self._left = max(0, self._left - bits)
        return self._value >> self._left & (1 << bits) - 1

    def ue(self) -> int:
        """Exp-Golomb code, H.264, 9.1."""
        zeros = 0
        while zeros < 32 and not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)
