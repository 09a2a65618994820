"""Projects, entities, sources, views, contracts, services."""
