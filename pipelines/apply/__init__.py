"""Stages 9 and 10 at work: a saved plan is written, and what was written is proved."""
