"""Bars from outside: sources, the Parquet store, the stage cache, checks. Edge: network, disk."""
