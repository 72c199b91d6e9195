"""What a run says: on the terminal, in the reports, and as evidence of failures."""
