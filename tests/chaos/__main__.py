"""./dev chaos: the chaos test as long as wanted, or one of its worlds again."""

from __future__ import annotations

import argparse
import random
import sys

from tests.chaos.plan import WEIGHTS
from tests.chaos.run import Wish, run


def main() -> int:
    """Run, print the figures, and return the exit code."""
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--cycles", type=int, default=1000, help="how many in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="what the moves are drawn from (default: at random, and printed)")
    parser.add_argument("--worlds", type=int, default=2, help="namespaces side by side (default: %(default)s)")
    parser.add_argument("--resources", type=int, default=3, help="of each daemon (default: %(default)s)")
    parser.add_argument("--only", type=int, action="append", default=[], help="only this world, for a replay")
    parser.add_argument("--first", type=int, default=0, help="number of the first cycle of each resource")
    parser.add_argument("--repeat", type=int, default=1, help="play the same this often")
    parser.add_argument("--without", action="append", default=[], choices=sorted(WEIGHTS), help="leave a move out")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    wish = Wish(seed, asked.cycles, asked.worlds, asked.resources, asked.first, asked.only, asked.without)
    failed = False
    for _ in range(asked.repeat):
        found = run(wish)
        print(f"seed {seed}: {found.figures()}", flush=True)
        for text in found.failed:
            failed = True
            print(f"FAILED {text}", flush=True)
        if failed:
            break
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
