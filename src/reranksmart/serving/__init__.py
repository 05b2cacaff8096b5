"""The page on localhost: type or drop a picture, see both stages side by side."""
