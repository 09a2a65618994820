"""The stream lane: micro-batches in order, under a lease; the cursor moves after the store has them."""
