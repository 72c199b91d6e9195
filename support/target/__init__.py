"""A Chroma that somebody else deployed on a cluster: what a file says of it, and what the cluster shows."""
