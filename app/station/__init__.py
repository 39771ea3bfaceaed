"""The machine on the wall and the cars in front of it. It knows current, locks and cards, and no protocol."""
