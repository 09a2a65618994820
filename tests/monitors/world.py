"""An installation that is watched: rows in a store, the loops of monitoring, and a receiver to tell."""

from datetime import timedelta

from controlplane.accounts.services import teams
from controlplane.kernel import clock
from monitors.models import Incident, Notification
from monitors.selectors.health import view_health
from monitors.services import channels, judging, outbox, probing, upkeep
from tests.ingestion.world import KEY, World, view_document
from tests.monitors.receivers import PAGER, SLACK

INTERVAL = timedelta(seconds=30)
MAX_AGE = timedelta(minutes=10)


class Watched(World):
    """``view`` v (gold, max age 10 min) is written directly and probed every 30 s."""

    def __init__(self, folder, store_url, receiver):
        super().__init__(folder, store_url)
        self.receiver = receiver

    def define(self, **changes):
        document = {
            "owner": "ada",
            "tier": "gold",
            "freshness": {"max_age": "10m"},
            "direct": True,
            **changes,
        }
        self.apply(entities=[KEY], feature_views=[view_document(**document)])

    def tell_ada(self):
        """Make Slack and PagerDuty the default channels of the owner."""
        teams.ensure_team("ada", actor="test", now=self.now)
        configs = {
            "slack_webhook": {"url": self.receiver.url + SLACK},
            "pagerduty": {"url": self.receiver.url + PAGER, "routing_key": "r" * 32},
        }
        made = [
            channels.create_channel(name=kind, kind=kind, config=config, actor="test", now=self.now)
            for kind, config in configs.items()
        ]
        channels.set_team_channels("ada", [row.pk for row in made], actor="test", now=self.now)

    def write(self, *, keys=30, x=1):
        """Write every key anew, as of now."""
        self.post([{"k": str(n), "x": x, "y": "a"} for n in range(keys)])

    def watch(self, *, deliver=True):
        """Let every loop go round once, now."""
        with clock.fixed(lambda: self.now):
            upkeep.keep_in_step(now=self.now)
            probing.run_probes(now=self.now, stores=lambda _: self.store, stopwatch=lambda: 0.0)
            judging.run_due(now=self.now)
            if deliver:
                self.deliver()

    def deliver(self):
        return outbox.deliver_due(now=self.now, jitter=lambda: 1.0)

    def pass_time(self, span, *, writing=False, deliver=True):
        """Watch at every interval of ``span``."""
        for _ in range(span // INTERVAL):
            self.now += INTERVAL
            if writing:
                self.write()
            self.watch(deliver=deliver)

    def health(self):
        return view_health(self.project, "v", now=self.now).health

    def incident(self):
        """The one incident there is."""
        return Incident.objects.get(project=self.project)

    def outbox(self):
        """(channel kind, action, state) of every notification, in order."""
        rows = Notification.objects.filter(incident__project=self.project)
        rows = rows.order_by("sequence", "channel__name")
        return [tuple(row) for row in rows.values_list("channel__kind", "action", "state")]
