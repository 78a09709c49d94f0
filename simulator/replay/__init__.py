"""Learners that learn while they are judged: what each would have served, and what it would have known by then."""
