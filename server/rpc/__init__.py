"""The gRPC doors: the only room that imports grpc. Servicers translate; the service decides."""
