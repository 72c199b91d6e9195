"""What runs inside the embedded cluster: its processes, their configuration, and its addons."""
