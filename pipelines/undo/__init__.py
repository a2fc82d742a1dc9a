"""What was written is taken back, by a plan of its own, and stays so until it is released."""
