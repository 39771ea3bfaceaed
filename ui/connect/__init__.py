"""Connect to yours: a pasted URL, everything that follows from it, and a test that says what fails."""
