"""The service: decides, logs, learns, and answers for what it did."""
