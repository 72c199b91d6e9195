"""What of the records is there after the end of a pod or of a process."""
