"""Where logs come from: tables, files, data frames."""
