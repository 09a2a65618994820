"""The batch lane: read, check, keep what changed, write, verify, move the watermark (ingestion.md: Batch)."""
