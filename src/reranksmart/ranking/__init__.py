"""Encode, search, rerank and fuse."""
