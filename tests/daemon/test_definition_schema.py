"""The schema of service definitions: the same keys and defaults as the readers have."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields

import pytest
from jsonschema import Draft202012Validator

from tocsin_daemon import definition_file, definition_schema
from tocsin_daemon.core.check import Spec
from tocsin_daemon.core.spec import OWN_DEFAULTS, specs
from tocsin_ocf import kinds, parts, roles
from tocsin_ocf.definition import KEYS, read
from tocsin_ocf.targets import LEVELS


def test_what_only_the_schema_refuses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what validates, also where nobody has words for it."""
    monkeypatch.setattr(definition_schema, "faults", lambda value: [("user", "")])
    definition, faults = definition_file.parse("f", "command: /bin/x\nuser: a\n")
    assert definition is None and faults == ["f:2: user: not what the schema of service definitions allows"]


def test_the_schema_is_one() -> None:
    """Of the draft that it names."""
    schema = definition_schema.schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert "default" in json.dumps(schema)


def test_schema_and_readers_know_the_same_keys() -> None:
    """They are two files: this is what keeps them one."""
    schema = definition_schema.schema()
    assert set(schema["properties"]) == set(KEYS)
    assert list(schema["properties"]["limits"]["properties"]) == list(parts.LIMITS)
    assert schema["properties"]["ready"]["enum"] == list(parts.READY)
    checks = {option["$ref"].rpartition("_check_")[2] for option in schema["properties"]["checks"]["items"]["oneOf"]}
    assert {name.removeprefix("#/$defs/check_") for name in checks} == set(kinds.KINDS)
    for name, kind in kinds.KINDS.items():
        assert set(schema["$defs"][f"check_{name}"]["properties"]) == {name, *kinds.COMMON, *kind.options}
    assert list(schema["properties"]["promotion_score"]["properties"]) == list(roles.SCORE)
    assert set(schema["$defs"]["check_process"]["properties"]["process"]["properties"]) == set(LEVELS)


def test_the_defaults_that_the_schema_names_are_those_that_hold() -> None:
    """What the manual says is what happens."""
    (plain,), defs = specs([{"tcp": "a:1"}]), definition_schema.schema()["$defs"]
    told = {name: defs[name]["default"] for name in kinds.COMMON if "default" in defs[name]}
    (named,) = specs([{"tcp": "a:1", **told, "name": plain.name}])
    assert named == plain
    defaults = {each.name for each in fields(Spec) if each.default is not MISSING}
    assert defaults - set(told) == {"window", "role"} and set(OWN_DEFAULTS) < set(kinds.KINDS)
    for key, part in definition_schema.schema()["properties"].items():
        if "default" in part:
            assert read({"command": "x", key: part["default"]})[0] in (read({"command": "x"})[0], _with_root(key))


def test_the_defaults_of_a_score_are_those_that_the_schema_names() -> None:
    """Its command has none."""
    told = definition_schema.schema()["properties"]["promotion_score"]["properties"]
    score = {key: part["default"] for key, part in told.items() if "default" in part}
    assert roles.promotion_score(score) == roles.SCORE and set(roles.SCORE) - set(score) == {"command"}


def _with_root(key: str) -> object:
    """Return the definition in which the working directory is written out: "" means the same."""
    return read({"command": "x", **({"directory": "/"} if key == "directory" else {})})[0]
