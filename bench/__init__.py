"""How fast each stage is, and how much memory it takes: ``make bench``."""
