"""A real, throw-away Kubernetes on one machine, sealed off from its network; it knows nothing of Chroma."""
