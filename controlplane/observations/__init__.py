"""What serving and probes reported."""
