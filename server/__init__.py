"""The service: decides, logs, learns, and answers for what it did."""

import os

# Before anything imports grpc, which reads it once. The server starts its trainer by fork and exec; in between, gRPC's
# fork handlers would wake up in the child and answer on connections that belong to the parent.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
