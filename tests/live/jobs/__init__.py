"""The suite inside a cluster, from its own image: a Job, a schedule, and their reports."""
