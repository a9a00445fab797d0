"""./dev stress: false alarms and missed failures on a starving machine."""

from __future__ import annotations

import argparse
import random
import sys

from tests.stress.run import Wish, run


def main() -> int:
    """Run, print the figures, and return the exit code."""
    parser = argparse.ArgumentParser(prog="./dev stress", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default: %(default)s)")
    parser.add_argument("--faults", type=int, default=50, help="true failures in that time (default: %(default)s)")
    parser.add_argument("--services", type=int, default=20, help="each with a check a second (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="what the faults are drawn from (default: at random, and printed)")
    parser.add_argument("--calm", action="store_true", help="without stress-ng, to compare")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    found = run(Wish(seed, 60 * asked.minutes, asked.faults, asked.services, not asked.calm))
    print(f"seed {seed}, {asked.minutes:g} min, {asked.services} services: {found.figures()}")
    bad = [*found.false_alarms, *found.missed, *found.trouble]
    for text in bad:
        print(f"FAILED {text}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
