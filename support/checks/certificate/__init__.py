"""Certificates that a platform renews, and the authority that signs them."""
