"""What there is to know, and to do, about the chosen EVSE."""
