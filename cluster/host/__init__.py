"""What the embedded cluster asks of the kernel of its machine."""
