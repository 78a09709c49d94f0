"""The log: validated columns of decisions and what they earned."""
