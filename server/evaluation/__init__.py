"""Evaluating a campaign: from a request to its log, its policies and what each would have earned."""
