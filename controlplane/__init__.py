"""The control plane: registry, contracts, ingestion, accounts, REST."""
