"""Fixtures of all OCPP tests."""

from tests.support.harness import make_bench

__all__ = ["make_bench"]
