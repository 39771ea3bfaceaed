"""Charging profiles of OCPP 1.6 and 2.0.1: what is installed, and which limit follows from it.

One idea: an installed profile is a *track* of steps on an axis of whole seconds (`timeline`), the tracks
of one purpose lie in a *stack* (`stack`), the stacks of all purposes are merged by taking the lowest
limit (`composite`). Nothing here reads a clock or sends a message; moments are parameters. Moments are cut
to the whole second, as startPeriod and duration count in whole seconds.
"""
