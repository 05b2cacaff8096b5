"""Published files, fetched and verified."""
