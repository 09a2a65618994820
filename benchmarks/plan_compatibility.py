"""How long it takes to say whom a change hits: ``python -m benchmarks.plan_compatibility [views]``.

A project of so many views and as many services (400), each view with 20 features, each service reading 10
features of each of 5 views. Every view loses a feature. Prints seconds, best of three.
"""

import sys
from timeit import repeat

from controlplane.contracts.compatibility import compare
from controlplane.contracts.definition import parse
from controlplane.contracts.model import Definition

FEATURES, READ_FEATURES, READ_VIEWS = 20, 10, 5


def build(size: int, *, features: int = FEATURES) -> Definition:
    """Return a project of ``size`` views and services."""
    return parse(
        {
            "version": 1,
            "project": "large",
            "entities": [{"name": "item", "join_keys": [{"name": "item", "dtype": "int64"}]}],
            "feature_views": [
                {
                    "name": f"view_{number}",
                    "entities": ["item"],
                    "features": [{"name": f"f{each}", "dtype": "float64"} for each in range(features)],
                    "freshness": {"max_age": "1h"},
                    "direct": True,
                }
                for number in range(size)
            ],
            "feature_services": [
                {
                    "name": f"service_{number}",
                    "features": [
                        f"view_{(number + step) % size}:f{each}"
                        for step in range(READ_VIEWS)
                        for each in range(READ_FEATURES)
                    ],
                }
                for number in range(size)
            ],
        }
    )


def main(size: int) -> None:
    """Print what it took."""
    before, after = build(size), build(size, features=FEATURES - 1)
    changes = compare(before, after)
    seconds = min(repeat(lambda: compare(before, after), number=1, repeat=3))
    print(f"{size} views, {size} services, {len(changes)} objects compared in {seconds:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
