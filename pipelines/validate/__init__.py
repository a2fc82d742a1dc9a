"""Stage 3 at work: rows are judged, and the bad ones come out again to be repaired."""
