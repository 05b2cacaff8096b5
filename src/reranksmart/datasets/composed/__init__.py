"""Scenes composed of photographs, with captions that are true by construction."""
