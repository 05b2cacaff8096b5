"""Prepared splits on disk, and what is proven of them before anything is trained."""
