"""The way to a cluster's API server, as its kubeconfig names it: the one place where that is decided."""
