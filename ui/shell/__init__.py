"""The window around the rooms: top bar, docks, status bar, toasts."""
