"""Stored captions and images -> what models read."""
