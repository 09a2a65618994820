"""Verbs that change the state of runs, lanes and the store."""
