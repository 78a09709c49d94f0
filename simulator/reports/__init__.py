"""An evaluation as people read it: in the terminal, as a page, in a notebook."""
