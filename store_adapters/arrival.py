"""What a writer does to an event time before it packs the row."""

# How far a source's clock may run ahead of ours before its word is no longer taken.
AHEAD_US = 5_000_000


def clamp_event_time(event_time_us: int, *, arrival_us: int) -> tuple[int, bool]:
    """Return the event time to store, and whether it was clamped (``Row.clamped``).

    An event time more than 5 s after the row's arrival becomes the arrival time: a row dated 2099 would
    otherwise win over every true row until then.
    """
    if event_time_us > arrival_us + AHEAD_US:
        return arrival_us, True
    return event_time_us, False
