"""The campaign: its file, its rules, its context, and the catalogue of what is served."""
