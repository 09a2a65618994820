"""The freshline command."""
