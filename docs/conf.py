"""Settings of the documentation: `make docs`."""

from __future__ import annotations

import re
from typing import Any

import shoal

project = "Shoal"
copyright = "the Shoal authors"
version = release = shoal.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Shoal {version}"
html_show_sourcelink = False

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
myst_heading_anchors = 3
# Fields such as `clients` exist in several classes; a bare name then links to none of them.
suppress_warnings = ["ref.python"]


def plain(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Escape what docstrings mean literally: the star of a shape `(n, *shape)`, the bars of a norm."""
    del app, what, name, thing, options
    for i, line in enumerate(lines):
        if not re.fullmatch(r"\s*\*?\w+(, \*?\w+)*", line):
            pieces = re.split(r"(`[^`]*`)", line)
            pieces[::2] = [re.sub(r"(\*(?=\w)|\|)", r"\\\1", piece) for piece in pieces[::2]]
            lines[i] = "".join(pieces)


def setup(app: Any) -> None:
    """Register, to run before the sections of a docstring are read."""
    app.connect("autodoc-process-docstring", plain, priority=400)
