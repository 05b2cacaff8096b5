"""Fine-tuning: separate training has one task, joint training two and a schedule; there is no other difference."""
