"""The story in settings and the audit log."""

from datetime import timedelta

from frontend.records import settings
from tests.frontend.story import NOW, ago, minutes

CHANNEL = settings.ChannelRow(
    1,
    "weather-alerts",
    "Slack webhook",
    "****X7f2",
    ("team-weather", "*"),
    "delivered",
    ago(minutes=27),
    "",
    may_edit=True,
)


def channels_page(**changes: object) -> settings.ChannelsPage:
    row = settings.ChannelRow
    known: dict[str, object] = {
        "channels": (
            CHANNEL,
            row(
                2,
                "pd-weather",
                "PagerDuty",
                "****91ab",
                (),
                "failing",
                ago(minutes=26),
                "HTTP 503, tries again",
                "weather-alerts",
                may_edit=True,
            ),
            row(3, "shop-hook", "Slack webhook", "****", (), "untested", None, "", project="shop"),
        ),
        "silences": (
            settings.SilenceRow(
                1, "view = carrier_delays", "grace", "planned reload", NOW + minutes(48), 1, may_end=True
            ),
            settings.SilenceRow(
                2, "project = shop", "ada", "migration", NOW + minutes(90), 0, starts_at=NOW + minutes(30)
            ),
        ),
        "unreachable_views": 14,
        "teams": ("team-weather", "team-models", "*"),
        "may_administer": True,
        "may_serve_all": True,
    }
    return settings.ChannelsPage(**{**known, **changes})


def failed_test() -> settings.ChannelsPage:
    sent = settings.SentTest(
        "weather-alerts",
        False,
        "404 no_service",
        timedelta(milliseconds=120),
        "The webhook was revoked: make a new one in Slack and save it here.",
        '{"text": "test"}',
    )
    return channels_page(
        test=sent,
        form=(("name", "x"), ("kind", "pagerduty")),
        errors=(("secret", "A routing key has 32 characters; this one has 5."),),
    )


def tokens_page(**changes: object) -> settings.TokensPage:
    row = settings.TokenRow
    known: dict[str, object] = {
        "tokens": (
            row(
                1,
                "nightly",
                "fl_ab12cd",
                ("read", "ingest"),
                ("flights",),
                "ada",
                NOW + timedelta(days=80),
                ago(minutes=3),
                "127.0.0.1",
            ),
            row(2, "old", "fl_zz99aa", ("read",), ("*",), "grace", ago(days=1), None, expired=True),
        ),
        "scopes": ("read", "register", "ingest", "lookup", "lineage", "operate"),
        "projects": ("flights", "shop"),
    }
    return settings.TokensPage(**{**known, **changes})


def system_page(**changes: object) -> settings.SystemPage:
    part = settings.Part
    known: dict[str, object] = {
        "parts": (
            part("Probes", "behind", "last 6 min ago", "expected every 30 s", ago(minutes=6)),
            part("Worker", "good", "2 slots", "queue empty", ago(seconds=3)),
            part("Store", "good", "p95 3.1 ms", "sqlite", ago(seconds=12)),
            part("Notifier", "no_data", "–", "never seen", None),
        ),
        "serving": (
            settings.ServingProcess("serving-1-9f2c", "0.1.0", 31, "current", ago(seconds=4)),
            settings.ServingProcess(
                "serving-2-11aa", "0.1.0", 30, "behind", ago(seconds=9), "digest differs"
            ),
            settings.ServingProcess("serving-2-03bd", "0.1.0", 29, "gone", ago(minutes=40)),
        ),
        "bundle": 31,
        "facts": (("version", "0.1.0"), ("database", "SQLite 3.40, 12 MB"), ("migrations", "all applied")),
    }
    return settings.SystemPage(**{**known, **changes})


def audit_page(**changes: object) -> settings.AuditPage:
    row = settings.AuditRow
    known: dict[str, object] = {
        "rows": (
            row(
                ago(hours=3),
                "grace",
                "apply",
                "flights",
                "view hourly_weather",
                "127.0.0.1",
                '{\n  "max": 150\n}',
                '{\n  "max": 200\n}',
            ),
            row(ago(hours=4), "ada/nightly", "create", "", "token nightly", "10.0.0.7", "", ""),
        ),
        "actor": "",
        "action": "",
        "after": "x",
    }
    return settings.AuditPage(**{**known, **changes})
