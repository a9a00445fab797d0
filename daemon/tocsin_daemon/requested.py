"""The service definition that a START or RELOAD carries: in its body, or in the file that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.logger import Logger

from tocsin_daemon import definition_file
from tocsin_ocf import definition as definitions
from tocsin_ocf.exit_codes import (
    OCF_ERR_ARGS,
    OCF_ERR_CONFIGURED,
    OCF_ERR_GENERIC,
    OCF_ERR_INSTALLED,
    OCF_ERR_PERM,
)

log = Logger()


class BadRequest(Exception):
    """A request whose body is not what its verb needs."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep the OCF exit code and the reason."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_definition(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the service's definition from a request, as `Definition.as_dict` does; BadRequest."""
    path = body.get("config")
    definition, faults = _from_file(str(path)) if path else _from_body(body)
    if definition is None:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise BadRequest(OCF_ERR_ARGS if path else OCF_ERR_CONFIGURED, faults[0] + more)
    return definition.as_dict()


def _from_body(body: Mapping[str, Any]) -> tuple[definitions.Definition | None, list[str]]:
    given = body.get("definition") or {}
    if not isinstance(given, dict):
        raise BadRequest(OCF_ERR_ARGS, "definition is a JSON object")
    definition, faults = definitions.read(given)
    return definition, [repr(fault) for fault in faults]


def _from_file(path: str) -> tuple[definitions.Definition | None, list[str]]:
    try:
        definition, faults = definition_file.read(path)
    except FileNotFoundError:
        raise BadRequest(OCF_ERR_INSTALLED, f"config: {path} does not exist on this node") from None
    except PermissionError:
        raise BadRequest(OCF_ERR_PERM, f"config: {path} cannot be read") from None
    except OSError as error:
        raise BadRequest(OCF_ERR_GENERIC, f"config: {path}: {error.strerror}") from None
    for fault in faults:
        log.error("{fault}", fault=fault)
    return definition, faults
