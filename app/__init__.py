"""A charging station that you can touch: the machine, its OCPP client and all that runs without a window."""

__version__ = "0.1.0"
