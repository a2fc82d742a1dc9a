"""What a plan says of each row and field, and how it is saved and shown."""
