"""Replies fit Pacemaker's schema, every request is tested live, and none is taken in by rubbish."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.replies import SCHEMA, VERSIONS, against_schema, files, read
from tocsin_ocf.pacemaker import (
    BadVersion,
    Fault,
    ManagedNode,
    ManagedResource,
    Pacemaker,
    Reply,
    Unreadable,
    Version,
    attrd_updater,
    cibadmin,
    crm_attribute,
    crm_mon,
    crm_node,
    crm_resource,
    crm_simulate,
    crm_ticket,
    crmadmin,
    pcs,
    stonith_admin,
)
from tocsin_ocf.pacemaker.document import RESULT

INVALID = {"crmadmin-nodes", "crm_resource-restart"}
"""Replies that Pacemaker 2.1.5's own schema does not allow."""
LIVE = sorted((Path(__file__).parents[1] / "cluster").glob("test_pacemaker_api*.py"))
TOOLS = (
    *(attrd_updater, cibadmin, crm_attribute, crm_mon, crm_node, crm_resource, crm_simulate, crm_ticket, crmadmin),
    *(pcs, stonith_admin),
)
V3 = Version(3, 0)
NO_NUMBERS = '<crm_mon><failures><failure op_key="web" call="--1" exitcode="²"/></failures></crm_mon>'


@pytest.mark.parametrize("file", files("2.1.5"), ids=lambda file: file.stem)
def test_recorded_xml_fits_the_schema_that_pacemaker_ships(file: Path) -> None:
    """But for two replies, where Pacemaker contradicts itself."""
    if not (SCHEMA.exists() and shutil.which("xmllint")):
        pytest.skip("needs pacemaker-common and libxml2-utils")
    recorded = read(file)
    if RESULT in recorded.reply.stdout:
        faults = against_schema(recorded.reply.stdout)
        assert bool(faults) == (recorded.name in INVALID), faults


@pytest.mark.parametrize("version_", VERSIONS)
def test_every_reply_says_where_it_comes_from(version_: str) -> None:
    """Recorded where, or written after which source."""
    begins = {"2.1.5": "Pacemaker 2.1.5, Debian 12: recorded by", "3.0": "Written after ClusterLabs/pacemaker, "}
    assert all(read(file).source.startswith(begins[version_]) for file in files(version_))


def requests_of(module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    """Return the public functions of a module that return a request."""
    functions = inspect.getmembers(module, inspect.isfunction)
    own = [(name, function) for name, function in functions if function.__module__ == module.__name__]
    return [(n, f) for n, f in own if not n.startswith("_") and str(f.__annotations__.get("return")).startswith("Req")]


@pytest.mark.parametrize("module", TOOLS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_each_request_is_tested_live(module: ModuleType) -> None:
    """On a real cluster."""
    source, tool = "".join(file.read_text() for file in LIVE), module.__name__.rpartition(".")[2]
    names = [name for name, _ in requests_of(module)]
    assert names
    assert [name for name in names if f"{tool}.{name}(" not in source] == []


@pytest.mark.parametrize("owner", [Pacemaker, ManagedResource, ManagedNode])
def test_each_method_is_tested_live(owner: type) -> None:
    """On a real cluster."""
    source = "".join(file.read_text() for file in LIVE)
    names = [name for name in vars(owner) if not name.startswith("_") and name not in ("ask", "do")]
    assert [name for name in names if f".{name}" not in source] == []


@pytest.mark.parametrize("module", TOOLS, ids=lambda module: module.__name__.rpartition(".")[2])
@pytest.mark.parametrize(
    "said", ["junk", "<a", '<pacemaker-result api-version="2.25"/>', "²", NO_NUMBERS], ids=lambda said: said[:20]
)
def test_rubbish_is_never_taken_for_an_answer_of_another_kind(module: ModuleType, said: str) -> None:
    """Whatever is read from it, no other exception than a Fault comes of it."""
    for _, function in requests_of(module):
        parameters = inspect.signature(function).parameters.values()
        wanted = [p for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
        given = [arguments[str(p.annotation)] for p in wanted]
        try:
            function(*given).read(Reply(0, said))
        except Fault:
            continue
        except KeyError as error:  # of a request that cannot be made
            assert function.__name__ == "delete_parameter", error  # noqa: PT017 - which of them it was


arguments: dict[str, object] = {
    "str": "cluster",
    "float": 1.0,
    "int": 1,
    "int | None": None,
    "Version": V3,
    "Primitive": cibadmin.Primitive("web"),
}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(0, ""),
        Reply(0, "<pacemaker-result"),
        Reply(0, '<?xml version="1.0"?><pacemaker-result api-version="2.25"><status code="0"/>'),
    ],
)
def test_half_a_reply_is_unreadable(reply: Reply) -> None:
    """A tool that died, or an output that was cut."""
    with pytest.raises(Unreadable):
        crm_mon.status().read(reply)


def test_another_api_is_refused() -> None:
    """Its words may mean something else."""
    xml = '<pacemaker-result api-version="3.0"><status code="0"/></pacemaker-result>'
    with pytest.raises(BadVersion, match=r"API version 3\.0"):
        crm_mon.status().read(Reply(0, xml))
