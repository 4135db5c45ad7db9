"""What a user holds: puts catalogue, resolver and scheduler together. Never here: media work."""
