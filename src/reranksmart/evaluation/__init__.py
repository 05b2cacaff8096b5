"""How good a ranking is: measures of each query, their means with intervals, and the twin probe."""
