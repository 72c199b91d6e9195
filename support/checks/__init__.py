"""What the steps do and demand: one module for each feature."""
