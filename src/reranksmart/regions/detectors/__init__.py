"""Images -> regions; one file per detector."""
