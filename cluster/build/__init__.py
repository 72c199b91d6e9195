"""What the embedded cluster is made of: built once, and kept in a cache."""
