"""The service: decides, logs, learns, and answers for what it did."""

import os

# Before anything imports grpc, which reads it once. The server starts its trainer by fork and exec, and gRPC's fork
# handlers have no business in the child in between: it is thought, not proven, that they once answered for the parent.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
