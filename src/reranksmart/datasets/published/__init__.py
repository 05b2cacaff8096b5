"""What the readers of published datasets share: texts, annotations, pictures, judgements."""
