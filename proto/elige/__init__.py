"""What callers of the service import: the contract in `elige.v1`, and the Python client in `elige.client`."""
