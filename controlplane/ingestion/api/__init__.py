"""The REST API of ingestion: direct rows, heartbeats, runs, refused rows, savings, Feast's writes."""

from controlplane.ingestion.api import feast, refused, rows, runs

urlpatterns = [*rows.urlpatterns, *runs.urlpatterns, *refused.urlpatterns, *feast.urlpatterns]
