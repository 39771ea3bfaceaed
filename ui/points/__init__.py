"""Open points of the specification, put to the person at the window in strict mode."""

from ui.points.dialog import PointAsker, PointDialog

__all__ = ["PointAsker", "PointDialog"]
