"""Stop a source of the demo, and let it go on: ``./dev demo break weather`` and ``fix weather``."""

from datetime import datetime

from controlplane.kernel.errors import Refused
from controlplane.project.demo.places import Places

# Each source with the views that grow old without it, and how soon.
SOURCES = {
    "weather": "airport_weather and airport_weather_trend go late, then stale, within a minute",
    "flights": "carrier_delays goes late, then stale, within three minutes; aircraft_profile within six",
    "departures": "carrier_departures goes late, then stale, within three minutes",
    "operations": "airport_operations goes late, then stale, within a minute and a half",
}


def stopped_sources(places: Places) -> frozenset[str]:
    """Return the sources that stand still."""
    return frozenset(path.name for path in places.stopped.glob("*")) & SOURCES.keys()


def stop(source: str, places: Places, *, now: datetime) -> str:
    """Stop a source; returns what to expect."""
    _check(source)
    if source in stopped_sources(places):
        since = (places.stopped / source).read_text().strip()
        return f"{source} stands still already, since {since}. ./dev demo fix {source} lets it go on."
    places.stopped.mkdir(parents=True, exist_ok=True)
    (places.stopped / source).write_text(f"{now:%Y-%m-%d %H:%M:%S} UTC\n")
    return (
        f"{source} stands still: {SOURCES[source]}.\n"
        "One incident opens and names the source; what was sent: ./dev demo messages\n"
        f"./dev demo fix {source} lets it go on."
    )


def go_on(source: str, places: Places) -> str:
    """Let a source go on; returns what to expect."""
    _check(source)
    if source not in stopped_sources(places):
        others = ", ".join(sorted(stopped_sources(places)))
        return f"{source} was not stopped. " + (f"What stands still: {others}." if others else "All go on.")
    (places.stopped / source).unlink(missing_ok=True)
    return (
        f"{source} goes on from now. Its views become fresh again, and the incident resolves by itself:\n"
        "./dev demo messages shows the resolve when it was sent."
    )


def _check(source: str) -> None:
    if source not in SOURCES:
        raise Refused(
            "bad_value", f"There is no source {source!r} to stop: write one of {', '.join(SOURCES)}"
        )
