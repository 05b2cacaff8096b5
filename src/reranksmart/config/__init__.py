"""The whole configuration: what each key means, its unit, its default (the paper's) and what is allowed."""
