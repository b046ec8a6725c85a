"""What is said on the line: the catalogue, and its recordings as files (docs/prompts.md)."""
