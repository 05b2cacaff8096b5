"""Retrieve fast, rerank smart: bi-encoders, cross-encoders and their cooperation (Geigle et al. 2022)."""

__version__ = "1.0.0"
