"""One module per command of the command line; nothing heavy is imported until a command runs."""
