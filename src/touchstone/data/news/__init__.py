"""News: items and their versions, scores of their texts, and aggregates as of any time."""
