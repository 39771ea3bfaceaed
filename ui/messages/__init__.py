"""The message room: one row an exchange, its detail as a tree and as text, found by words, exported."""
