"""Filters in plain Python: reframer, inspect, tee, null, call-a-function. Never here: av."""
