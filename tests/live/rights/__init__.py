"""What the features asked of the cluster, after a run of all of them."""
