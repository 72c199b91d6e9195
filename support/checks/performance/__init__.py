"""What a release takes in time and memory."""
