"""A store adapter."""
