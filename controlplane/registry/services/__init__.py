"""Verbs that change the registry: plan and apply definitions, build bundles, keep connections."""
