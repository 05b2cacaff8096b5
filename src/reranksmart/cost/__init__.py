"""What a query, an evaluation and a pair cost."""
