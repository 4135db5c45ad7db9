"""Shipped test kits: the virtual clock, filter conformance, fault injectors. Never here: product code."""
