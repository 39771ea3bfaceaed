"""Painted helpers that any view may use: outlines, glyphs of states, measured text, chips."""
