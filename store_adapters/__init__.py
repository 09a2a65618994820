"""Adapters to the online stores: keys, row codec, conditional writes."""
