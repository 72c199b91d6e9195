"""Collections and their records, written, counted and refused."""
