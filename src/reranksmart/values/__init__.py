"""Arrays and tensors with what they guarantee; no files."""
