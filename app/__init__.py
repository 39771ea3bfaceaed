"""Forecourt without its window: the station, its OCPP client and everything they need."""
