"""What both versions of OCPP have in common and compute the same way."""
