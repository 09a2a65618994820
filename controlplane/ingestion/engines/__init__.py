"""What reads batch sources and compares them with the last run."""
