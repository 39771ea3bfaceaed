"""Whole programs: sub-processes and real windows, judged by what the back office saw."""
