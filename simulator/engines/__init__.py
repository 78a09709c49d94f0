"""Where the pieces of a log are worked on: here, on all cores, or on a cluster."""
