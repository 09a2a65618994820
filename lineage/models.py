"""Tables of lineage."""
