"""Configuration files, and where each value came from."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.kernel.catalogue import Catalogue
from app.kernel.resources import resource
from app.ocpp.context import Identity, KeySetting, VariableSetting
from app.ocpp.version import Version
from app.runtime.problems import ConfigError
from app.runtime.settings import Resolved, Source, config_schema, load, resolve, secret_of
from app.runtime.tls import TlsFiles
from app.station.acts import RANGES
from app.station.blueprint import Blueprint

WHOLE = """
blueprint = "dc-2x150"
name = "Rest stop"
free_vend = true
mode = "strict"
connection_timeout = 20
features = ["Core", "FirmwareManagement"]
free_vend_token = "NOBODY"
seed = 7
full_sync = true

[identity]
vendor = "ACME"
iccid = "8931"
imsi = "2620"
meter_type = "MID"

[csms]
url = "wss://example.org/ocpp"
id = "CS-1"
version = "2.0.1"
proxy = "none"
connect_timeout = 5
max_message_size = 100000

[security]
profile = 3
certificate = "own.pem"
key = "own.key"
ca = "roots"

[open_points]
both-clock-drift = "ignore"

[keys]
HeartbeatInterval = 30
LocalPreAuthorize = true
MyKey = { value = "x", readonly = true }
ReadOnly = { readonly = true }

[[variables]]
component = "OCPPCommCtrlr"
variable = "HeartbeatInterval"
value = 60
mutability = "ReadOnly"

[[variables]]
component = "Own"
component_instance = "A"
variable = "Thing"
variable_instance = "B"
evse = 1
connector = 1
attribute = "Target"
value = 0.5

[vehicle]
id = "city-52"
soc = 50
ready_delay = 3

[clock]
start = 2026-05-01T08:00:00+02:00
rate = 10
boot_seconds = 5
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "station.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def refused(file: Path, catalogue: Catalogue, **more: Any) -> list[str]:
    """The sentences with which a file is refused."""
    with pytest.raises(ConfigError) as caught:
        resolve(file, **more)
    sentences = [catalogue.render(text) for text in caught.value.problems]
    for sentence in sentences:
        assert str(file) in sentence
        assert "{" not in sentence
        assert "Traceback" not in sentence
        assert "98765" not in sentence
    assert catalogue.render(caught.value.text)
    return sentences


# ---------------------------------------------------------------- what a file may say


def test_every_part_of_a_file_reaches_the_configuration(write: Any, tmp_path: Path) -> None:
    config = load(write(WHOLE))
    assert config.hardware.name == "Rest stop"
    assert config.hardware.model == "DC 2x150"
    assert config.version is Version.V201
    assert config.strict
    assert config.tls_files() == TlsFiles(
        tmp_path / "roots", tmp_path / "own.pem", tmp_path / "own.key"
    )
    assert (config.csms.url, config.csms.id) == ("wss://example.org/ocpp", "CS-1")
    assert config.clock.start is not None
    assert config.clock.start.isoformat() == "2026-05-01T08:00:00+02:00"
    settings = config.ocpp()
    assert settings.identity == Identity(
        vendor="ACME",
        model="DC 2x150",
        serial_number="FC-D150-0001",
        firmware_version="1.0.0",
        iccid="8931",
        imsi="2620",
        meter_type="MID",
    )
    assert settings.keys == (
        KeySetting("ConnectionTimeOut", "20"),
        KeySetting("HeartbeatInterval", "30"),
        KeySetting("LocalPreAuthorize", "true"),
        KeySetting("MyKey", "x", readonly=True),
        KeySetting("ReadOnly", None, readonly=True),
    )
    assert settings.variables == (
        VariableSetting("TxCtrlr", "EVConnectionTimeOut", "20"),
        VariableSetting("OCPPCommCtrlr", "HeartbeatInterval", "60", mutability="ReadOnly"),
        VariableSetting("Own", "Thing", "0.5", 1, 1, "A", "B", "Target"),
    )
    assert settings.features == {"Core", "FirmwareManagement"}
    assert settings.free_vend
    assert settings.free_vend_token == "NOBODY"
    assert settings.security_profile == 3


def test_an_explicit_key_wins_over_the_connection_timeout(write: Any) -> None:
    config = load(write("connection_timeout = 20\n[keys]\nConnectionTimeOut = 5\n"))
    assert config.ocpp().keys == (KeySetting("ConnectionTimeOut", "5"),)


def test_the_mark_that_editors_of_windows_put_first_is_passed_over(
    write: Any, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("\ufeffsecret-of-16-chars", "utf-8")
    for text, name in (
        ('\ufeff[security]\npassword_file = "secret.txt"\n', "a.toml"),
        ('\ufeff{"security": {"password_file": "secret.txt"}}', "a.json"),
    ):
        assert secret_of(load(write(text, name))) == b"secret-of-16-chars"


def test_json_says_the_same_as_toml(write: Any) -> None:
    tree = tomllib.loads(WHOLE)
    text = json.dumps(tree, default=lambda moment: moment.isoformat())
    assert load(write(text, "station.json")) == load(write(WHOLE))


def test_without_a_file_everything_has_its_default() -> None:
    resolved = resolve()
    assert resolved.config.hardware.name == "Public AC 2x22"
    assert resolved.config.version is None
    assert resolved.source("csms.url") is Source.DEFAULT
    assert secret_of(resolved.config) is None


@pytest.mark.parametrize("name", Blueprint.names())
def test_a_blueprint_is_a_configuration_with_only_the_hardware_part(name: str) -> None:
    assert load(resource("blueprints", f"{name}.toml")).hardware == Blueprint.builtin(name)


def test_hardware_can_stand_in_the_file_itself(write: Any) -> None:
    text = resource("blueprints", "home-ac-11.toml").read_text("utf-8")
    config = load(write(text.replace("max_power = 11040", "max_power = 7360")))
    assert config.hardware.evses[0].max_power == 7360
    assert config.hardware.model == "Home AC 11"


def test_single_hardware_keys_change_the_usual_station(write: Any) -> None:
    config = load(write("free_vend = true\nreaders = []\n"))
    assert (config.hardware.name, config.hardware.free_vend) == ("Public AC 2x22", True)
    assert config.hardware.readers == ()


def test_a_blueprint_file_is_found_beside_the_configuration(write: Any) -> None:
    text = resource("blueprints", "home-ac-11.toml").read_text("utf-8")
    write(text.replace("Home AC 11", "Mine"), "mine.toml")
    config = load(write('blueprint = "mine.toml"\n[[readers]]\nevses = []\n'))
    assert config.hardware.name == "Mine"
    assert config.hardware.readers[0].evses == ()


# ---------------------------------------------------------------- who wins


def test_flag_over_configuration_over_blueprint_over_default(write: Any) -> None:
    file = write('name = "Mine"\n[csms]\nid = "A"\nurl = "ws://config"\n')
    flags = {"csms.id": "B", "csms.version": None}
    resolved = resolve(file, blueprint="home-ac-11", flags=flags)
    config = resolved.config
    assert (config.csms.id, config.csms.url, config.csms.version) == ("B", "ws://config", "auto")
    assert (config.hardware.name, config.hardware.model) == ("Mine", "Home AC 11")
    sources = {
        "csms.id": Source.FLAG,
        "blueprint": Source.FLAG,
        "csms.url": Source.CONFIG,
        "name": Source.CONFIG,
        "model": Source.BLUEPRINT,
        "supply.current": Source.BLUEPRINT,
        "supply.main_meter": Source.DEFAULT,
        "csms.version": Source.DEFAULT,
        "evses": Source.BLUEPRINT,
    }
    assert {path: resolved.source(path) for path in sources} == sources
    with pytest.raises(KeyError):
        resolved.source("no.such.setting")


def test_a_flag_takes_the_place_of_all_that_it_goes_with(write: Any, tmp_path: Path) -> None:
    """A password of the file, and the key of another certificate, are not mixed with those of flags."""
    secret = tmp_path / "secret.txt"
    secret.write_text("of-the-flag", "utf-8")
    file = write("[security]\npassword = 'of-the-file'\ncertificate = 'a.pem'\nkey = 'a.key'\n")
    flags = {"security.password_file": secret, "security.certificate": tmp_path / "b.pem"}
    config = resolve(file, flags=flags).config
    assert secret_of(config) == b"of-the-flag"
    assert (config.security.certificate, config.security.key) == (tmp_path / "b.pem", None)
    both = {**flags, "security.key": tmp_path / "b.key"}
    assert resolve(file, flags=both).config.security.key == tmp_path / "b.key"


def test_what_is_shown_can_be_printed_and_hides_the_password(write: Any) -> None:
    file = write(WHOLE.replace("[security]", '[security]\npassword = "s3cret word"'))
    resolved: Resolved = resolve(file)
    shown = json.dumps([(v.path, v.value, v.source.value) for v in resolved.values], default=str)
    assert "s3cret" not in shown
    assert "s3cret" not in repr(resolved.config)
    assert '"security.password", "\\u2026", "config"' in shown
    assert secret_of(resolved.config) == b"s3cret word"


def test_a_password_file_gives_its_first_line_as_bytes(write: Any, catalogue: Catalogue) -> None:
    file = write('[security]\nprofile = 1\npassword_file = "pw"\n')
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "pw" in catalogue.render(caught.value.text)
    write("\n", "pw")
    with pytest.raises(ConfigError):
        load(file)
    write("p ä: s\r\nsecond", "pw")
    assert secret_of(load(file)) == "p ä: s".encode()


def test_folders_of_certificates_reach_the_link(
    write: Any, tmp_path: Path, catalogue: Catalogue
) -> None:
    own, roots = tmp_path / "own", tmp_path / "roots"
    own.mkdir()
    roots.mkdir()
    file = write('[security]\nca_folder = "roots"\ncertificate_folder = "own"\n')
    (own / "readme.txt").touch()
    (own / "alone.pem").touch()
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(own) in catalogue.render(caught.value.text)
    (own / "both.pem").write_text("-----BEGIN PRIVATE KEY-----")
    assert load(file).tls_files() == TlsFiles(None, own / "both.pem", None, roots)
    (own / "a.crt").touch()
    (own / "a.key").touch()
    assert load(file).tls_files() == TlsFiles(None, own / "a.crt", own / "a.key", roots)


# ---------------------------------------------------------------- what is refused


def test_a_missing_file_and_a_broken_one_are_told(
    write: Any, tmp_path: Path, catalogue: Catalogue
) -> None:
    assert "No such file" in refused(tmp_path / "none.toml", catalogue)[0]
    assert "line 2" in refused(write("a = 1\nb == 2\n"), catalogue)[0]
    assert "line 1" in refused(write("{1}", "bad.json"), catalogue)[0]
    assert "one table" in refused(write("[1]", "list.json"), catalogue)[0]
    for half in ('{"name": "\\ud800"}', '{"\\udfff": 1}', '{"vendors": [{"data": "\\ud800"}]}'):
        assert "is no valid JSON" in refused(write(half, "half.json"), catalogue)[0]
    broken = write("", "latin.toml")
    broken.write_bytes(b'name = "\xe4"')
    assert "UTF-8" in refused(broken, catalogue)[0]
    for name in ("long.toml", "long.json"):  # Python reads no number of so many digits
        number = "9" * 5000
        text = f"a = {number}" if name == "long.toml" else f'{{"a": {number}}}'
        assert name in refused(write(text, name), catalogue)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blueprint = '{}'", "There is no blueprint aaa"),
        ("[security]\ncertificate_folder = '{}'", "holds no certificate"),
    ],
)
def test_a_name_that_no_file_can_have_is_one_of_no_file(
    write: Any, catalogue: Catalogue, text: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(write(text.format("a" * 300)))
    assert said in catalogue.render(caught.value.text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1", "colour is no known setting"),
        ("blueprnt = 'x'", "Did you mean blueprint?"),
        ("[csms]\nurll = 'x'", "csms.urll is no known setting"),
        ("[csms]\nurl = 5", "csms.url is 5; expected text in quotes"),
        ("[csms]\nversion = 1.6", "csms.version is 1.6; expected one of '1.6', '2.0.1' or 'auto'"),
        ("mode = 'loose'", "expected one of 'pragmatic' or 'strict'"),
        ("[security]\nprofile = 4", "security.profile is 4; expected at most 3"),
        ("[security]\nprofile = '1'", 'security.profile is "1"; expected a whole number'),
        ("[security]\nprofile = -1", "expected at least 0"),
        ("[csms]\nconnect_timeout = 0", "expected more than 0"),
        ("[csms]\nid = ''", "expected a length of at least 1"),
        ("[identity]\niccid = '123456789012345678901'", "expected a length of at most 20"),
        ("full_sync = 'yes'", "expected true or false"),
        ("features = 'Core'", "expected a list"),
        ("csms = 'x'", "expected a table"),
        ("[clock]\nstart = 'soon'", "expected a date and time"),
        ("[keys]\nA = [1]", "keys.A.value is [1]; expected text, a number, true or false"),
        ("[keys]\nA = {values = 1}", "keys.A.values is no known setting"),
        ("[[variables]]\nvariable = 'x'", "variables[1].component is missing"),
        (
            "[[variables]]\ncomponent = 'a'\nvariable = 'b'\nconnector = 1",
            "variables[1]: A connector needs its evse.",
        ),
        (
            "[security]\npassword='a'\npassword_file='b'",
            "security: Give either password or password_file, not both.",
        ),
        ("[security]\npassword = 98765", "security.password is …; expected text in quotes"),
        ("[security]\nkey='a'", "security: A key needs the certificate it belongs to."),
        ("seed = " + "[" + "1," * 50 + "]", "…"),
        ("blueprint = 5", "blueprint is 5; expected text in quotes"),
        ("evses = []", "evses"),
        ("supply = {current = -1}", "supply.current"),
        ("[vehicle]\ncapacity = inf", "vehicle.capacity is Infinity; expected"),
        ("[vehicle]\nready_delay = nan", "vehicle.ready_delay is NaN; expected a number"),
        ("[vehicle]\nmax_ac_current = 81", "expected at most 80"),
        ("seed = " + "[" * 9_000, "is no valid TOML"),
        ("features = ['Core', 'Smart']", 'features has "Smart"; expected some of Core'),
        ("[vehicle]\nid = 'horse'", "vehicle.id: there is no car horse"),
        ("[open_points]\nboth-clock-drif = 'slew'", "Did you mean both-clock-drift?"),
        ("[open_points]\nx = 'slew'", "there is no open point x"),
        ("[open_points]\nboth-clock-drift = 'x'", 'both-clock-drift is "x"; expected one of'),
        (
            "[open_points]\nocpp201-composite-algorithm = 'x'",
            "is about smart charging of OCPP 2.0.1, which this Forecourt does not have yet",
        ),
        (
            "[keys]\nheartbeatinterval = 'abc'",
            'keys.heartbeatinterval: HeartbeatInterval does not take "abc". It takes a whole number',
        ),
        ("[keys]\nMeterValueSampleInterval = {value = -5}", "a whole number from 0 on"),
        ("[keys]\nLocalPreAuthorize = 'maybe'", "It takes true or false"),
        ("[keys]\nMeterValuesSampledData = 'Voltage,Speed'", "at most 22 measurands"),
        ("[keys]\nConnectorPhaseRotation = '3.RST'", "one a connector"),
        (
            (
                "connection_timeout = 5\n[[variables]]\ncomponent = 'TxCtrlr'\nvariable = 'TxStartPoint'\n"
                "value = 'Nonsense'"
            ),
            'variables[1]: TxCtrlr.TxStartPoint does not take "Nonsense". It takes a list of',
        ),
        (
            (
                "[[variables]]\ncomponent = 'OCPPCommCtrlr'\nvariable = 'MessageTimeout'\n"
                "variable_instance = 'Default'\nvalue = 'abc'"
            ),
            "It takes a whole number",
        ),
        (
            (
                "[[variables]]\ncomponent = 'SecurityCtrlr'\nvariable = 'BasicAuthPassword'\n"
                "value = 'short'"
            ),
            "BasicAuthPassword does not take …. It takes 16 to 64 characters",
        ),
        ("connection_timeout = 0", "connection_timeout: TxCtrlr.EVConnectionTimeOut does not take"),
        (
            f"connection_timeout = {10**30}\n[csms]\nversion = '1.6'",
            "connection_timeout: ConnectionTimeOut does not take",
        ),
        ("[keys]\nAuthorizationKey = 'short'", "does not take …. It takes 32 to 40 hexadecimal"),
        (
            "[[variables]]\ncomponent = 'A'\nvariable = 'B'\nevse = 3",
            "variables[1] is of an EVSE or connector that this station does not have",
        ),
        (
            "[[variables]]\ncomponent = 'A'\nvariable = 'B'\nevse = 2\nconnector = 2",
            "variables[1] is of an EVSE or connector that this station does not have",
        ),
    ],
)
def test_each_mistake_is_a_sentence_with_file_place_and_what_was_expected(
    write: Any, catalogue: Catalogue, text: str, said: str
) -> None:
    sentences = refused(write(text), catalogue)
    assert said in sentences[0]


def test_all_mistakes_are_told_and_a_flags_mistake_names_the_command_line(
    write: Any, catalogue: Catalogue
) -> None:
    file = write("seed = 'x'\n[csms]\nport = 1\n")
    assert len(refused(file, catalogue)) == 2
    with pytest.raises(ConfigError) as caught:
        resolve(flags={"csms.version": "3.0"})
    assert catalogue.render(caught.value.text).startswith("command line: csms.version")
    with pytest.raises(ConfigError) as caught:
        resolve(flags={"security.key": "a.key"})
    assert catalogue.render(caught.value.text).startswith("command line: security: A key needs")
    with pytest.raises(ConfigError) as caught:
        resolve(file, flags={"seed": 1, "csms.id": ""})
    assert "and 1 more" in catalogue.render(caught.value.text)


def test_a_car_that_cannot_come_is_told_before_anything_starts(
    write: Any, catalogue: Catalogue
) -> None:
    """It used to end the program when the station was built."""
    hardware = resource("blueprints", "home-ac-11.toml").read_text("utf-8")
    own = write(hardware.replace('vehicle = "', 'vehicle = "no-'), "own.toml")
    for flags, said in (
        ({"blueprint": str(own)}, "which is not in the library"),
        ({"blueprint": "dc-2x150", "flags": {"vehicle.id": "plug-in-hybrid"}}, "plug-in-hybrid"),
    ):
        with pytest.raises(ConfigError) as caught:
            resolve(**flags)
        assert said in catalogue.render(caught.value.text)


def test_a_car_has_the_same_limits_wherever_it_is_described() -> None:
    properties = config_schema()["$defs"]["VehiclePart"]["properties"]
    for name, (low, high) in RANGES.items():
        numbers, _nothing = properties[name]["anyOf"]
        assert (numbers["minimum"], numbers["maximum"]) == (low, high), name


def test_what_only_the_other_version_knows_is_not_judged(write: Any) -> None:
    """One file may serve both versions, and hold keys and variables of somebody's own."""
    load(write("[csms]\nversion = '2.0.1'\n[keys]\nHeartbeatInterval = 'abc'\n"))
    load(write("features = ['Core', 'auth_cache']\n[keys]\nMine = 'abc'\nHeartbeatInterval = ''\n"))
    own = "[[variables]]\ncomponent = 'TxCtrlr'\nvariable = 'Mine'\nvalue = 'abc'\nevse = 2\n"
    load(write(own))


def test_an_unknown_blueprint_is_told_with_those_there_are(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(blueprint="castle")
    sentence = catalogue.render(caught.value.text)
    assert "castle" in sentence
    assert "home-ac-11" in sentence


def test_a_blueprint_file_with_a_mistake_names_that_file(write: Any, catalogue: Catalogue) -> None:
    file = write("name = 'x'\n", "mine.toml")
    assert "model" in refused(file, catalogue, blueprint=str(file))[0]


# ---------------------------------------------------------------- the published schema


def test_the_published_schema_is_fresh() -> None:
    file = resource("schemas", "config.schema.json")
    fresh = json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
    assert file.read_text("utf-8") == fresh, "write it anew: python -m app.runtime.schema_file"


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"name": "x", "mode": "strict"}, True),
        ({"keys": {"A": 1, "B": {"value": "x"}, "C": True, "D": "x"}}, True),
        ({"clock": {"start": "2026-01-01T00:00:00Z"}}, True),
        ({"keys": {"A": [1]}}, False),
        ({"keys": {"A": {"values": 1}}}, False),
        ({"colour": 1}, False),
        ({"csms": {"version": "1.5"}}, False),
        ({"csms": {"url": 5}}, False),
        ({"security": {"profile": 4}}, False),
        ({"variables": [{"component": "a"}]}, False),
        ({"vehicle": {"soc": 101}}, False),
    ],
)
def test_the_published_schema_and_the_program_agree(
    write: Any, change: dict[str, Any], good: bool
) -> None:
    validator = jsonschema.Draft202012Validator(config_schema())
    assert validator.is_valid(change) is good
    file = write(json.dumps({"blueprint": "home-ac-11", **change}), "station.json")
    if good:
        load(file)
    else:
        with pytest.raises(ConfigError):
            load(file)


@pytest.mark.parametrize("name", Blueprint.names())
def test_the_blueprints_fit_the_published_schema(name: str) -> None:
    tree = tomllib.loads(resource("blueprints", f"{name}.toml").read_text("utf-8"))
    jsonschema.validate(tree, config_schema(), jsonschema.Draft202012Validator)
