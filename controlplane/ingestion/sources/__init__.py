"""Where rows come from: batch files, Redis Streams, JSON-lines files."""
