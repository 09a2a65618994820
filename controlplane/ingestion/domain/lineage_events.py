"""OpenLineage events of our runs: a pure function of a transition's row, the same bytes each time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attr
from openlineage.client import event_v2 as events
from openlineage.client.facet_v2 import (
    OutputDatasetFacet,
    RunFacet,
    column_lineage_dataset,
    error_message_run,
    nominal_time_run,
    output_statistics_output_dataset,
    schema_dataset,
)

PRODUCER = "https://freshline.dev/controlplane/ingestion"
Facts = Mapping[str, Any]


@attr.define
class FreshlineRunFacet(RunFacet):
    """What only we know of a run."""

    lane: str
    view: str
    runNumber: int | None
    phase: str
    hollow: str | None
    watermarkBefore: str | None
    watermarkAfter: str | None
    lookedAt: str | None

    @staticmethod
    def _get_schema() -> str:
        return f"{PRODUCER}/facets/1-0-0/FreshlineRunFacet.json"


def build_event(event: str, *, at: datetime, facts: Facts) -> events.RunEvent:
    """Return the event that tells of a transition. ``facts`` as ``services.transitions`` freezes them."""
    run = events.Run(runId=facts["run_id"], facets=_run_facets(facts))
    job = events.Job(namespace=facts["namespace"], name=facts["job"])
    return events.RunEvent(
        eventType=events.RunState(event),
        eventTime=_instant(at),
        run=run,
        job=job,
        producer=PRODUCER,
        inputs=[events.InputDataset(namespace=i["namespace"], name=i["name"]) for i in facts["inputs"]],
        outputs=[_output(facts, statistics=event == "COMPLETE")],
    )


def _run_facets(facts: Facts) -> dict[str, RunFacet]:
    facets: dict[str, RunFacet] = {
        "freshline": FreshlineRunFacet(
            lane=facts["lane"],
            view=facts["view"],
            runNumber=facts["run_number"],
            phase=facts["phase"],
            hollow=facts["hollow"],
            watermarkBefore=facts["watermark_before"],
            watermarkAfter=facts["watermark_after"],
            lookedAt=facts.get("looked_at"),  # rows of before it was told have none
            producer=PRODUCER,
        )
    }
    if facts["nominal_time"]:
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=facts["nominal_time"], producer=PRODUCER
        )
    if facts["error"]:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=facts["error"]["message"], programmingLanguage="SQL", producer=PRODUCER
        )
    return facets


def _output(facts: Facts, *, statistics: bool) -> events.OutputDataset:
    fields = [
        schema_dataset.SchemaDatasetFacetFields(name=column["name"], type=column["dtype"])
        for column in facts["schema"]
    ]
    facets: dict[str, Any] = {"schema": schema_dataset.SchemaDatasetFacet(fields=fields, producer=PRODUCER)}
    lineage = _column_lineage(facts["schema"], facts["inputs"], facts["lane"])
    if lineage is not None:
        facets["columnLineage"] = lineage
    output_facets: dict[str, OutputDatasetFacet] = {}
    if statistics:
        output_facets["outputStatistics"] = (
            output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                rowCount=facts["counts"]["written"], producer=PRODUCER
            )
        )
    return events.OutputDataset(
        namespace=facts["namespace"], name=facts["view"], facets=facets, outputFacets=output_facets
    )


def _column_lineage(
    schema: Sequence[Mapping[str, str]], inputs: Sequence[Mapping[str, Any]], lane: str
) -> column_lineage_dataset.ColumnLineageDatasetFacet | None:
    """Tell which field feeds which feature where the definition says it: the mapping of a stream."""
    mapped = {i["namespace"] + "\0" + i["name"]: i.get("fields", {}) for i in inputs}
    if lane != "stream" or not any(mapped.values()):
        return None
    fields = {}
    for column in schema:
        feeding = [
            column_lineage_dataset.InputField(namespace=i["namespace"], name=i["name"], field=path)
            for i in inputs
            if (path := i.get("fields", {}).get(column["name"]))
        ]
        if feeding:
            fields[column["name"]] = column_lineage_dataset.Fields(inputFields=feeding)
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, producer=PRODUCER)


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
