"""How far a run is, from the results folder alone: what exists, what runs, what failed and what is missing and why."""

from reranksmart.run.console import console as console
from reranksmart.run.failures import note_failures as note_failures
from reranksmart.run.findings import Finding as Finding
from reranksmart.run.findings import find as find
from reranksmart.run.jobs import note_plan as note_plan
from reranksmart.run.programs import shell_prefix as shell_prefix
from reranksmart.run.queue import queue_as_text as queue_as_text
from reranksmart.run.text import findings_as_text as findings_as_text
