"""The REST API of ingestion: direct rows, heartbeats, runs, refused rows, savings."""

from controlplane.ingestion.api import refused, rows, runs

urlpatterns = [*rows.urlpatterns, *runs.urlpatterns, *refused.urlpatterns]
