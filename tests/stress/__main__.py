"""`./dev stress`: the long form of the stress run."""

import argparse
import sys

from tests.stress.run import stress


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev stress", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    report = stress(seconds=60 * parser.parse_args().minutes, pause=3.0)
    print("\n".join(report.lines()))
    print(f"{len(report.wrong)} wrong" if report.wrong else "Every answer was right or a clear error.")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
