"""What the platform gives: the inventory, certificates, registry, discovery and code-server."""
