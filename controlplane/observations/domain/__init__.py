"""Counting: buckets of age, sums that add up in any order, and the reading of reports. Plain Python."""
