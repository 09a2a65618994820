"""What other products keep, read and said again as a definition file of ours. Plain Python."""
