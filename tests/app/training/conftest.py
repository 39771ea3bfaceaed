from tests.support.csms import csms

__all__ = ["csms"]
