"""``make prove``: kills, faults and damaged files by the hundred, and nothing lost or doubled."""
