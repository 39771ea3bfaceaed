"""The window: shows snapshots of the station and sends intents."""
