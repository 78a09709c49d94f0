"""How fast this is and how much it earns, against what could be at best; `python -m bench` runs every benchmark."""
