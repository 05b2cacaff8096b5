"""How far a run is, from the results folder alone: what exists, what runs, what failed and what is missing and why."""

from reranksmart.status.failures import note_failures as note_failures
from reranksmart.status.findings import Finding as Finding
from reranksmart.status.findings import find as find
from reranksmart.status.jobs import note_plan as note_plan
from reranksmart.status.text import as_text as as_text
