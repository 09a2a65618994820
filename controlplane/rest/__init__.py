"""problem+json, pagination, idempotency, OpenAPI."""
