"""Stage 8 at work: who is in a plan, what it may do, where it lies and how it looks."""
