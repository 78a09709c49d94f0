"""How fast this is, measured against what it could be at best; `python -m bench` runs every benchmark."""
