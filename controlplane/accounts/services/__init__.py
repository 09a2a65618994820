"""Verbs that change accounts: tokens, teams, audit."""
