"""Files in and out: outcomes and persons of a warehouse, the log as Parquet."""
