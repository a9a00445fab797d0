"""A node's own clock jumps; the machine's is never touched."""

from __future__ import annotations

import time

from lab import Lab

from tests.requirements import require

HOUR = 3600.0


def test_the_clock_of_one_node_jumps(cluster_possible: None) -> None:
    """Both ways, for programs that run already, too; what measures time goes on, and nobody is fenced."""
    missing = Lab.missing_for_clocks()
    require(not missing, "; ".join(missing))
    with Lab(2, timeout=120, fencing=True, clocks=True) as lab:
        first, second = lab.nodes
        inits = [node.init for node in lab.nodes]
        for ahead in (HOUR, -HOUR, 0.0):
            second.set_clock(ahead)
            clocks = second.run(["python3", "-c", "import time; print(time.time(), time.monotonic())"]).stdout.split()
            assert abs(float(clocks[0]) - time.time() - ahead) < 60
            assert abs(float(clocks[1]) - time.monotonic()) < 60
            assert abs(float(first.run(["date", "+%s"]).stdout) - time.time()) < 60
            second.run(["crm_attribute", "--node=n2", "--name=probe", f"--update={ahead}"])
            stamp = time.strftime("%b %d %H:", time.gmtime(time.time() + ahead))
            lab.wait(lambda want=stamp: want in second.pacemaker_log.read_text()[-4000:], 30, f"a line of {stamp}")
        time.sleep(3)
        lab.wait_online()
        assert inits == [node.init for node in lab.nodes]
