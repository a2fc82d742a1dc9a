"""What is declared: mappings and policies, checked against the org and compiled to SQL."""
