"""How far a run is, from the results folder alone: what exists, what runs, what failed and what is missing and why."""
