"""Monitors: judging, incidents, notifications."""
