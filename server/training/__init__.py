"""Learning: from the log's rewards to snapshots, one learner a campaign at a time."""
