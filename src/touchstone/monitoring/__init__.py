"""Is it still true? Alarms, and what decides whether one is due. Edge: logs, network."""
