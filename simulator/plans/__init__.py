"""Whether the traffic of a campaign will suffice."""
