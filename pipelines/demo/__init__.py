"""The inputs of the first run: invented people in the exact formats of real exports."""
