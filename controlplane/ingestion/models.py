"""Tables of ingestion."""
