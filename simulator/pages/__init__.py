"""Several slots that are decided together, judged as one."""
