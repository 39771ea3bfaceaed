"""Every option of every open point of smart charging can be chosen."""

from __future__ import annotations

from dataclasses import fields

import pytest

from app.ocpp.points import registry
from app.ocpp.shared.charging_profiles import (
    POINTS_16,
    POINTS_201,
    MixedUnits,
    NoProfile,
    Options,
    decide,
)
from app.ocpp.version import Version

CHOICES = [
    pytest.param(version, name, point, option.key, id=f"{point}-{option.key}")
    for version, points in ((Version.V16, POINTS_16), (Version.V201, POINTS_201))
    for name, point in points.items()
    for option in registry()[point].options
]


@pytest.mark.parametrize(("version", "name", "point", "key"), CHOICES)
def test_option_of_the_registry_is_known(version: Version, name: str, point: str, key: str) -> None:
    chosen = getattr(decide(version, {point: key}), name)
    assert chosen.value == key or (key, chosen) == ("deny", NoProfile.BLOCK)


@pytest.mark.parametrize(
    ("version", "points"), [(Version.V16, POINTS_16), (Version.V201, POINTS_201)]
)
def test_defaults_are_those_of_the_registry(version: Version, points: dict[str, str]) -> None:
    defaults = {point: registry()[point].default for point in points.values()}
    assert decide(version, defaults) == Options()


def test_other_points_are_left_alone_and_wrong_options_told() -> None:
    base = Options(mixed_units=MixedUnits.REJECT_SECOND)
    chosen = {"ocpp201-csms-needs-strategy": "no-needs", "ocpp201-baseline": "edition-3"}
    found = decide(Version.V201, chosen, base)
    assert found.mixed_units is MixedUnits.REJECT_SECOND
    assert found.baseline.value == "edition-3"
    with pytest.raises(ValueError, match="nonsense"):
        decide(Version.V16, {"ocpp16-no-profile-online": "nonsense"})


def test_each_choice_belongs_to_a_point() -> None:
    plain = {"site_default", "units", "rating", "max_on_outlet", "external_from_csms"}
    assert {item.name for item in fields(Options)} - plain == {*POINTS_16, *POINTS_201}
