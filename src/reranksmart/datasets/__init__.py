"""Published files -> captions, images and relevance; one file per step of a dataset."""
