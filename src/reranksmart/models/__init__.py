"""Models: what they offer (``interface``), the one transformer behind them, and their files (``checkpoints``)."""
