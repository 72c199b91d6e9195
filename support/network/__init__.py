"""How a caller reaches a release."""
