"""Policies: context and variants in, a probability for every variant out. No clock, no I/O, no globals."""
