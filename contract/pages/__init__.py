"""HTML pages: their templates and style, and the page about all markets."""
