"""Images -> regions: detectors, and the published files of regions."""
