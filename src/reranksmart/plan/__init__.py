"""Pure functions of the configuration: which files must exist, what each needs, and the digest of a verb's code."""
