"""Verbs that change observations: count a report, record a probe, forget what is old."""
