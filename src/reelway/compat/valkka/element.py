"""An element of a ring buffer, as scripts index it: `shmem_list[index][0:isize]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy
import numpy.typing as npt

import reelway as rw

__all__ = ["Element"]

Bytes = npt.NDArray[numpy.uint8]


class Element:
    """Stands for a numpy array of uint8: what is taken from it are such arrays, not copied, read-only.

    It holds the frame that was pulled last with its index, until the next pull; what a script has taken of
    that, and still keeps, does not change even then. Before the first pull it is black.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._frame: Bytes | None = None
        self._was = False

    # For the ring

    def hold(self, frame: Bytes) -> None:
        """These are its bytes from now on."""
        self._frame, self._was = frame, True

    def let_go(self) -> None:
        """The next frame was pulled."""
        self._frame = None

    # For scripts

    @property
    def array(self) -> Bytes:
        """All bytes of the frame. Raises StateError where another one was pulled since."""
        if self._frame is not None:
            return self._frame
        if self._was:
            raise rw.StateError(
                "this element was let go of with the next pull()",
                hint="take what you need of it before, or copy it",
            )
        return numpy.zeros(self._size, numpy.uint8)

    def __getitem__(self, key: Any) -> Any:
        return self.array[key]

    def __len__(self) -> int:
        return self._size if self._frame is None else len(self._frame)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.array if dtype is None else self.array.astype(dtype, copy=False)
        return array.copy() if copy else array

    def __getattr__(self, name: str) -> Any:
        """What arrays have: shape, dtype, reshape() ..."""
        if name.startswith("_"):
            raise AttributeError(f"an element of a ring buffer has no {name}")
        return getattr(self.array, name)

    def __repr__(self) -> str:
        return f"<Element of {len(self)} bytes>"
