"""What the org holds and says of itself, mirrored in the home."""
