"""Filters in Python and numpy, on packets and raw media: sources, changes, joins, sinks. Never here: av."""
