"""Backbones of pixels and regions; one module a family."""
