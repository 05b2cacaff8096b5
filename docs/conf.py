"""How the manual is built: python -m sphinx -W docs results/docs. Nothing is loaded from elsewhere."""

from reranksmart import __version__

project = "reranksmart"
copyright = "The reranksmart developers, Apache-2.0"
release = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"reranksmart {release}"
