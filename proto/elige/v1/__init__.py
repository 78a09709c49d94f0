"""The contract: `*.proto`, and the code that `proto/generate.py` makes of them."""
