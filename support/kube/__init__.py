"""The Kubernetes API: its client, its objects, and what is read from them."""
