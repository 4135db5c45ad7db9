"""Reads what `testvideo` burns into its pictures: which picture this is, and of when.

number, time_ms = read_counter(packet)
"""

from __future__ import annotations

from reelway.filters.counter import code_height, draw_code, read_counter

__all__ = ["code_height", "draw_code", "read_counter"]
