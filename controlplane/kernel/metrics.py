"""The Prometheus registry of the control plane; every metric is declared beside the code that moves it."""

from prometheus_client import CollectorRegistry

REGISTRY = CollectorRegistry(auto_describe=True)
PREFIX = "freshline"
