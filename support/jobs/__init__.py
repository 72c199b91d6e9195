"""The suite as Jobs of a cluster: how they are written, where their reports stay, and how shards become one run."""
