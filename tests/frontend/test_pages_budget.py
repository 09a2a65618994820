"""In how many queries each page is read, while much is wrong, by a member and by an administrator of all."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controlplane.accounts.domain import Role
from controlplane.ingestion.models import IngestionRun
from controlplane.kernel import clock
from controlplane.observations.domain.report import parse
from controlplane.observations.services.probes import record_probe
from controlplane.observations.services.reports import record_report
from controlplane.registry import selectors as registry
from frontend.urls import urlpatterns
from lineage.services import sync_registry
from lineage.services.states import record_state
from tests.frontend.live import PATH, person, words
from tests.lineage.story import dataset, run_event
from tests.lineage.test_graph import load
from tests.monitors.story import MINUTE, breach, cause, monitor, pagerduty, slack
from tests.observations.reports import minute, report
from tests.observations.test_probes_and_retention import PROBE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built", "suffering")]
AT = "/p/flights"
VIEW, FOCUS = f"{AT}/features/carrier_delays", f"{AT}/lineage?focus=view:flights/carrier_delays"
# By the name of the page in urls.py: its addresses. Home's budget is its own.
PAGES = {
    "home": [f"{AT}/", f"{AT}/?scope=mine"],
    "catalogue": [f"{AT}/features", f"{AT}/features?kind=features", f"{AT}/features?state=stale"],
    "view": [VIEW, f"{VIEW}?range=7d", f"{VIEW}?tab=contract", f"{VIEW}?tab=runs"],
    "run_list": [f"{AT}/runs"],
    "run": [f"{AT}/runs/{{run}}"],
    "incident_list": [f"{AT}/incidents", f"{AT}/incidents?tab=resolved"],
    "incident": [f"{AT}/incidents/INC-{{incident}}"],
    "lineage": [f"{AT}/lineage", FOCUS, f"{FOCUS}&trace=cause", f"{FOCUS}&view=table"],
    "playground": [f"{AT}/playground", f"{AT}/playground?target=carrier_delays"],
    "channels": ["/settings/channels"],
    "tokens": ["/settings/tokens"],
    "system": ["/settings/system"],
    "audit": ["/audit"],
    "error_codes": ["/docs/errors"],
}
# No page of their own: a form's answer, or a step to another address.
NO_PAGES = {"sign_in", "sign_out", "preferences", "incident_anywhere", "silences"}
BUDGETS = {"home": 12}
BUDGET = 15
HOUR = timedelta(hours=1)


def failed_run(*, ended_at):
    return IngestionRun.objects.create(
        project="flights",
        view_id=registry.find_view("flights", "carrier_delays").id,
        view="carrier_delays",
        lane="batch",
        state="failed",
        phase="read",
        contract_number=1,
        queued_at=ended_at,
        due_at=ended_at,
        started_at=ended_at - MINUTE,
        ended_at=ended_at,
        error={"code": "source_unavailable", "message": "the file is not there"},
        read=1_000,
        changed=20,
        refused=3,
    )


@pytest.fixture
def suffering(flights):
    """The view is stale because of a failed job above it; much was looked up, probed and run."""
    now = flights
    slack()
    pagerduty()
    monitor(value=3_000.0)
    monitor(kind="coverage")
    sync_registry(now=now)
    view = dataset("carrier_delays", namespace="freshline://flights")
    ours = {"namespace": "freshline://flights", "inputs": [dataset("delays")], "outputs": [view]}
    load(
        [
            run_event("refine", "COMPLETE", now - HOUR, inputs=[dataset("raw")], outputs=[dataset("delays")]),
            run_event("carrier_delays.batch", "COMPLETE", now - HOUR, **ours),
            run_event("refine", "FAIL", now - 20 * MINUTE, error="disk full"),
        ],
        now=now,
    )
    record_state(
        "view:flights/carrier_delays",
        state="stale",
        at=now - 5 * MINUTE,
        as_of=now - HOUR,
        valid_until=now + HOUR,
    )
    incident = breach(causes=[cause(path=PATH)])
    for number in range(5):
        breach(f"child_{number}", causes=[cause(path=PATH)])
        minutes = [minute(minute=int(now.timestamp()) // 60 - 10 * number, latency_buckets={"9": 2})]
        record_report(parse(report(*minutes, sequence=number), now=now), now=now, retention=24 * HOUR)
        record_probe(replace(PROBE, at=now - number * MINUTE), verdicts={"flights_1d": {"stale": 9}})
        run = failed_run(ended_at=now - number * MINUTE)
    return {"run": run.pk, "incident": incident.number}


@pytest.fixture(params=["member", "administrator of all"])
def visitor(suffering, request):
    """Who looks: somebody with a role in the project, or who has every role everywhere."""
    return person("ada", Role.ADMIN) if request.param == "member" else person("root", None, is_superuser=True)


@pytest.mark.parametrize(("page", "address"), [(page, at) for page, all in PAGES.items() for at in all])
def test_no_page_takes_more_queries_than_its_budget_while_much_is_wrong(
    suffering, visitor, page, address, django_assert_max_num_queries
):
    address = address.format(**suffering)
    assert visitor.get(address).status_code == 200
    with django_assert_max_num_queries(BUDGETS.get(page, BUDGET)):
        visitor.get(address)


def test_every_page_has_a_budget():
    names = {pattern.name for pattern in urlpatterns if pattern.name}
    pages = {name for name in names if not name.endswith("_action")} - NO_PAGES
    assert pages == set(PAGES)


def test_the_suffering_of_this_test_is_seen_on_its_pages(suffering, visitor):
    told = words(visitor.get(f"{FOCUS}&trace=cause"))
    assert "Probable cause: disk full" in told
    assert "INC-" in words(visitor.get(VIEW))


def test_queries_do_not_grow_with_what_is_wrong(suffering, visitor):
    def asked(address):
        with CaptureQueriesContext(connection) as queries:
            visitor.get(address)
        return len(queries)

    addresses = [f"{AT}/", f"{AT}/features", VIEW, FOCUS]
    before = [asked(address) for address in addresses]
    for number in range(30):
        breach(f"more_{number}", causes=[cause(path=PATH)])
        failed_run(ended_at=clock.now() - number * MINUTE)
        monitor(f"more_{number}", kind="coverage", due_at=clock.now() - HOUR)
    assert [asked(address) for address in addresses] == before
