"""What the meters showed, over time: history in rings, drawn only for the EVSE that is looked at."""
