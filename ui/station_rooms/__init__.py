"""The rooms of the station: configuration, queue, charging profiles, tokens, reservations, and more."""
