"""What holds for any records: an exact model, and laws that are tried with generated ones."""
