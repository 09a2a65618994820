"""What the demo registers (flights.yaml), and who is in its teams."""

from pathlib import Path

from controlplane.contracts.definition import load

FILE = Path(__file__).with_name("flights.yaml")
PROJECT = "flights"
TEAMS = ("delays", "planning", "ranking", "stations")
MEMBER_OF = ("delays", "stations")  # the teams of who signs in
LAKE = "s3://lake"


def read_definition() -> object:
    """Return the demo's definition file, as it would be posted."""
    return load(FILE.read_bytes(), "application/yaml")
