"""`python -m reranksmart <verb>`: the verbs, from a checkout that is on the path and not installed."""

from reranksmart.cli import main

main()
