"""
The JSON Schema of a service definition, and its errors in the words of administrators.

The only importer of jsonschema, and only when a file is read: importing it costs as much as a tenth of a second.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from tocsin_ocf import values

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

FILE = os.path.join(os.path.dirname(__file__), "definition.schema.json")

MOST_STRANGE = 40
"""Unknown keys of one mapping that are told one by one: more are no slips, and to guess at each takes its time."""

NOUNS = {"array": "a list", "object": "a mapping", "string": "a text", "boolean": "true or false"}
NOUNS |= {"integer": "a whole number", "number": "a number"}

NO_TEXT = re.compile(
    r"(|[-+]?[0-9][0-9_]*(\.[0-9]*)?(:[0-9]+)?|\.[0-9]+|true|false|yes|no|on|off|null|~)\Z", re.IGNORECASE
)
"""What some YAML takes for a number, a truth value or nothing."""

Faults = Iterator["tuple[str, str]"]


class Error(Protocol):
    """What of jsonschema's errors is used here."""

    validator: str | None
    validator_value: Any
    instance: Any
    schema: Any
    message: str
    relative_path: Sequence[str | int]
    relative_schema_path: Sequence[str | int]
    context: Sequence[Error]


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """Return the schema."""
    with open(FILE, encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 dear, and a service without a file needs none

    return Draft202012Validator(schema())


def faults(value: object) -> list[tuple[str, str]]:
    """Return path and message of everything that the schema refuses in a value of JSON."""
    found = [fault for error in cast("Iterator[Error]", _validator().iter_errors(value)) for fault in _told(error, "")]
    return list(dict.fromkeys(found))


def _told(error: Error, at: str) -> Faults:
    """Yield path and message of an error; of alternatives only what concerns the one that was meant."""
    path = _below(at, error.relative_path)
    if "propertyNames" in error.relative_schema_path:
        yield _below(path, [error.instance]), ""  # the reader of names says it better
    elif error.validator == "oneOf":
        yield from _alternatives(error, path)
    else:
        say = SAY.get(str(error.validator))
        yield from say(error, path) if say else [(path, error.message[:200])]


def _below(path: str, steps: Iterable[object]) -> str:
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path


def _alternatives(error: Error, path: str) -> Faults:
    """Yield the faults of the one alternative whose key stands there, or that there is not exactly one."""
    keys = [_alternative(option)["required"][0] for option in error.validator_value]
    if not isinstance(error.instance, dict):
        yield path, "not a mapping; give its kind and target, such as: - tcp: 127.0.0.1:6379"
        return
    there = [number for number, key in enumerate(keys) if key in error.instance]
    if len(there) != 1:
        yield path, ""  # the reader of checks says it better, and says it always
        return
    for inner in error.context:
        if inner.relative_schema_path[0] == there[0]:
            yield from _told(inner, path)


def _alternative(option: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema()["$defs"][option["$ref"].rpartition("/")[2]]
    return found


def _type(error: Error, path: str) -> Faults:
    allowed = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    plain = {"integer", "number", "boolean"} if "string" in allowed else set()
    nouns = " or ".join(NOUNS[name] for name in allowed if name not in plain)
    if error.instance is None:
        yield path, f"nothing stands here; give {nouns}{_such_as(error)}"
    else:
        yield path, f"{_shown(error.instance)} stands where {nouns} is wanted{_such_as(error)}"


def _such_as(error: Error) -> str:
    """Return an example, as YAML has it."""
    examples = error.schema.get("examples", ()) if isinstance(error.schema, dict) else ()
    return f", such as: {example(examples[0])}" if examples else ""


def example(value: object, *, inside: bool = False) -> str:
    """Return a value of JSON on one line of YAML, `inside` brackets or not; in quotes only where it needs them."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {example(item, inside=True)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(example(item, inside=True) for item in value)}]"
    if isinstance(value, str) and _bare(value) and not (inside and set(value) & set(",[]{}")):
        return value
    return json.dumps(value, ensure_ascii=False)


def _bare(text: str) -> bool:
    """Tell whether YAML, of any version, takes a text without quotes for a text."""
    first = text[:1] not in set("-?:,[]{}#&*!|>'\"%@` ")
    return first and not NO_TEXT.match(text) and not set(text) & set("\r\n\t") and not {": ", " #"} & set(_twos(text))


def _twos(text: str) -> Iterator[str]:
    yield from map("".join, zip(text, f"{text[1:]} "))


def _shown(value: object) -> str:
    """Return a value as a fault shows it: short."""
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown(error: Error, path: str) -> Faults:
    known = list(error.schema["properties"])
    strange = [key for key in error.instance if key not in known]
    if len(strange) > MOST_STRANGE:
        yield path, f"{len(strange)} keys here are unknown; known are {', '.join(known)}"
        return
    for key in strange:
        yield _below(path, [key]), values.unknown(key, known)


def _of_the_schema(error: Error, path: str) -> Faults:
    """Yield the sentence that the schema has for it."""
    said = error.schema.get("errorMessage") if isinstance(error.schema, dict) else None
    if error.instance == "":
        yield path, "empty; give a value, or remove it"
    else:
        yield path, f"{_shown(error.instance)} {said or 'is not what is wanted here'}"


def _names(error: Error, path: str) -> Faults:
    names = [str(name) for name in error.validator_value]
    near = values.unknown(_shown(error.instance).strip("'"), names).partition("; did you")[2]
    yield path, f"{_shown(error.instance)} is none of {', '.join(names)}{near and f'; did you{near}'}"


def _bound(word: str) -> Callable[[Error, str], Faults]:
    def say(error: Error, path: str) -> Faults:
        yield path, f"{_shown(error.instance)} is {word} {error.validator_value}"

    return say


def _few(error: Error, path: str) -> Faults:
    yield path, f"empty; give at least one{_such_as(error)}"


def _many(error: Error, path: str) -> Faults:
    yield path, f"too many, or too long; at most {error.validator_value}"


def _left_to_the_reader(_error: Error, path: str) -> Faults:
    """Yield a fault without words: what does not go together is told by `tocsin_ocf.definition`, by its key."""
    yield path, ""


SAY: dict[str, Callable[[Error, str], Faults]] = {
    "type": _type,
    "additionalProperties": _unknown,
    "pattern": _of_the_schema,
    "minLength": _of_the_schema,
    "enum": _names,
    "minimum": _bound("too little; give at least"),
    "exclusiveMinimum": _bound("too little; give more than"),
    "maximum": _bound("too much; give at most"),
    "minItems": _few,
    "minProperties": _few,
    "maxItems": _many,
    "maxLength": _many,
    "required": _left_to_the_reader,
    "anyOf": _left_to_the_reader,
    "dependentRequired": _left_to_the_reader,
    "None": _left_to_the_reader,
}
