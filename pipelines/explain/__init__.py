"""Where each value of a record came from."""
