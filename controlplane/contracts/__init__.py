"""The contract semantics shared with serving."""
