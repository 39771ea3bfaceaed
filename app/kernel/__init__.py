"""What everything stands on: the ordered bus, the clocks, ids, units and texts."""
