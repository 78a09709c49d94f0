"""`elige demo`: the main job in about a minute, by the same server, client and files that anybody would use."""
