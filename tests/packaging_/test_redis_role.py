"""What packaging/examples/redis-replication/redis-role makes of what Redis, the other node and the cluster say."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "packaging/examples/redis-replication"
REDIS_CLI = """#!/bin/sh
echo "redis-cli $*" >>"$STATE/asked"
if [ "$1" = -h ]; then cat "$STATE/info-$2" 2>/dev/null; exit; fi
shift 2
case $* in
info*) cat "$STATE/info" ;;
"config get save") printf 'save\\n%s\\n' "$SAVE" ;;
"config get appendonly") printf 'appendonly\\n%s\\n' "$APPENDONLY" ;;
*) echo OK ;;
esac
"""
CRM_ATTRIBUTE = """#!/bin/sh
echo "crm_attribute $*" >>"$STATE/asked"
case $* in
*--query*) cat "$STATE/record" 2>/dev/null || { for default; do :; done; echo "$default"; } ;;
esac
[ ! -e "$STATE/no-cluster" ]
"""
FRESH = {"role": "slave", "host": "127.0.0.1", "link": "down", "offset": 1, "down": -1, "loading": 0}
LINKED = {**FRESH, "host": "n2", "link": "up", "offset": 500}
ORPHAN = {**LINKED, "link": "down", "down": 2}
"""A replica whose primary has ended."""
SYNCING = {**ORPHAN, "offset": 1}
LOADING = {**FRESH, "loading": 1}
PROMOTED = {**FRESH, "role": "master"}


class World:
    """A node n1, with Redis and the cluster played by files."""

    def __init__(self, place: Path) -> None:
        """Have a fresh Redis that keeps a log, no other node, and nobody ever promoted."""
        self.place = place
        self.variables = {"SAVE": "", "APPENDONLY": "yes"}
        self.asked: list[str] = []
        for name, text in (("redis-cli", REDIS_CLI), ("crm_attribute", CRM_ATTRIBUTE)):
            (place / name).write_text(text)
            (place / name).chmod(0o755)
        self.says(FRESH)

    def says(self, what: Mapping[str, object], *, data: bool = False, peer: str = "") -> None:
        """Let Redis, here or on a peer, say this of itself."""
        lines = [
            "# Server\r\nrun_id:abc",
            f"loading:{what['loading']}\r\nrole:{what['role']}\r\nmaster_repl_offset:500",
        ]
        if what["role"] == "slave":
            lines += [f"master_host:{what['host']}\r\nmaster_link_status:{what['link']}"]
            lines += [f"slave_repl_offset:{what['offset']}\r\nmaster_link_down_since_seconds:{what['down']}"]
        lines += ["db0:keys=1,expires=0"] if data else []
        (self.place / (f"info-{peer}" if peer else "info")).write_text("\r\n".join(lines) + "\r\n")

    def last(self, node: str) -> None:
        """Let this node be the last one promoted."""
        (self.place / "record").write_text(f"{node}\n")

    def run(self, action: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the script as Tocsin does."""
        own = {"TOCSIN_ACTION": action, "TOCSIN_RESOURCE": "redis", "TOCSIN_NODE": "n1", "PEERS": "n1 n2"}
        path = f"{self.place}:/usr/bin:/bin"
        environment = {"PATH": path, "PORT": "6379", "STATE": str(self.place), **own, **self.variables, **more}
        (self.place / "asked").write_text("")
        done = subprocess.run(
            [EXAMPLE / "redis-role"], env=environment, capture_output=True, text=True, check=False, timeout=30
        )
        self.asked = (self.place / "asked").read_text().splitlines()
        return done

    def score(self) -> str:
        """Return the score that it says; promote has to go by the same."""
        done = self.run("score")
        assert (done.returncode, done.stderr) == (0, "")
        promoted = self.run("promote")
        assert (promoted.returncode == 0) == bool(done.stdout), promoted.stderr
        return done.stdout.strip()

    def sent(self) -> list[str]:
        """Return which roles Redis was given."""
        return [line.split("-p 6379 ")[1] for line in self.asked if "replicaof" in line]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Play a node."""
    return World(tmp_path)


OTHER = {"": None, "empty": False, "data": True}


@pytest.mark.parametrize("peer", OTHER)
@pytest.mark.parametrize("last", ["", "n1", "n2"])
@pytest.mark.parametrize("data", [False, True])
@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("state", ["fresh", "linked", "orphan", "syncing", "loading", "promoted"])
def test_every_state_has_its_score(world: World, state: str, keeps: bool, data: bool, last: str, peer: str) -> None:
    """As the README's table has it; the other node is off, empty, or has data, and is not promoted."""
    known = {"linked": LINKED, "orphan": ORPHAN, "syncing": SYNCING, "loading": LOADING, "promoted": PROMOTED}
    world.says(known.get(state, FRESH), data=data)
    world.variables["APPENDONLY"] = "yes" if keeps else "no"
    if last:
        world.last(last)
    if peer:
        world.says(FRESH, data=peer == "data", peer="n2")
    fixed = {"linked": "500", "orphan": "500", "loading": "", "promoted": "1000"}
    if state in fixed:
        wanted = fixed[state]
    elif keeps and last == "n2":
        wanted = ""
    elif data:
        wanted = "100"
    else:
        wanted = "" if peer == "data" else "10"
    assert world.score() == wanted


@pytest.mark.parametrize(("keeps", "wanted"), [("yes", ""), ("no", "100")])
def test_one_that_was_left_behind_is_no_match_for_a_disk(world: World, keeps: str, wanted: str) -> None:
    """Also when the other has ended; but for one in memory only there is nothing better then."""
    world.last("n2")
    world.variables["APPENDONLY"] = keeps
    world.says(ORPHAN, data=True)
    world.says(PROMOTED, data=True, peer="n2")
    assert world.score() == wanted
    (world.place / "info-n2").unlink()
    assert world.score() == wanted
    world.says(LINKED, data=True)
    assert world.score() == "500"
    world.says(ORPHAN, data=True)
    assert world.score() == "500"


def test_snapshots_are_persistence_too(world: World) -> None:
    """What is on the other's disk may be more."""
    world.variables.update(APPENDONLY="no", SAVE="3600 1")
    world.last("n2")
    assert world.score() == ""


def test_promote_is_recorded_before_the_first_write(world: World) -> None:
    """And refused where it cannot be."""
    world.says(ORPHAN, data=True)
    assert world.run("promote").returncode == 0
    record = next(n for n, line in enumerate(world.asked) if "redis-primary --update n1" in line)
    assert record < next(n for n, line in enumerate(world.asked) if "replicaof no one" in line)
    (world.place / "no-cluster").touch()
    done = world.run("promote")
    assert done.returncode != 0 and "cluster does not keep" in done.stderr
    assert world.sent() == []


def test_a_cluster_that_cannot_be_asked_says_nothing_of_the_score(world: World) -> None:
    """The last one stays."""
    (world.place / "no-cluster").touch()
    done = world.run("score")
    assert done.returncode != 0 and done.stdout == ""


def test_a_redis_that_does_not_answer_has_no_role(world: World) -> None:
    """Nothing is guessed."""
    (world.place / "info").write_text("")
    for action in ("score", "promote", "demote"):
        done = world.run(action)
        assert done.returncode != 0 and "does not answer" in done.stderr


def test_demote_gives_the_rest_to_the_replica_first(world: World) -> None:
    """Writes are held, and let go when it is a replica of nobody: then they are refused."""
    world.says(PROMOTED, data=True)
    assert world.run("demote").returncode == 0
    steps = [line.split("-p 6379 ")[1] for line in world.asked if "info" not in line]
    assert steps == ["client pause 15000 write", "replicaof 127.0.0.1 1", "client unpause"]


def test_demote_of_a_replica_changes_nothing(world: World) -> None:
    """It is asked for again where a demotion was cut short."""
    world.says(LINKED)
    assert world.run("demote").returncode == 0
    assert world.sent() == []


NOTE = "OCF_RESKEY_CRM_meta_notify_"


@pytest.mark.parametrize(
    ("what", "state", "wanted"),
    [
        ({"type": "post", "operation": "promote", "promote_uname": "n2 "}, FRESH, ["replicaof n2 6379"]),
        ({"type": "post", "operation": "promote", "promote_uname": "n2"}, LINKED, []),
        ({"type": "post", "operation": "promote", "promote_uname": "n1"}, PROMOTED, []),
        ({"type": "post", "operation": "promote", "promote_uname": "n2"}, PROMOTED, []),
        ({"type": "pre", "operation": "promote", "promote_uname": "n2"}, FRESH, []),
        ({"type": "post", "operation": "start", "promoted_uname": "n2"}, FRESH, ["replicaof n2 6379"]),
        ({"type": "post", "operation": "start", "promoted_uname": "n1"}, FRESH, []),
        ({"type": "post", "operation": "start", "promoted_uname": " "}, FRESH, []),
        ({"type": "post", "operation": "stop", "promoted_uname": "n2"}, FRESH, []),
        ({}, FRESH, []),
    ],
)
def test_notify_follows_who_was_promoted(
    world: World, what: dict[str, str], state: dict[str, object], wanted: list[str]
) -> None:
    """And nobody else; a promoted one is never turned by a notification."""
    world.says(state)
    assert world.run("notify", **{NOTE + key: value for key, value in what.items()}).returncode == 0
    assert world.sent() == wanted


def test_who_has_missed_a_notification_follows_all_the_same(world: World) -> None:
    """The other says itself that it is promoted."""
    world.says(FRESH)
    world.says(PROMOTED, peer="n2")
    world.run("score")
    assert world.sent() == ["replicaof n2 6379"]


def test_the_file_has_no_fault() -> None:
    """`tocsin check` says so."""
    from tocsin_daemon import definition_file

    definition, faults = definition_file.read(str(EXAMPLE / "redis.yaml"))
    assert faults == []
    assert definition is not None and definition.promotable
