"""What the steps do and assert: one module for each feature."""
