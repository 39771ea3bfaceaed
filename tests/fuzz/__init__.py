"""Frames that nobody should send, thrown at a whole station; see `shots.py` and `target.py`."""
