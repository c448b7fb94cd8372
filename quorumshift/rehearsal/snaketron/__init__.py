"""The sample SnakeTron: to the outside the game's contract, inside a front over an etcd member.

Players on WebSockets, Raft behind gRPC, nodes found through PostgreSQL. What is a member of what,
and who leads, is etcd's business (rehearsal/service); etcd's own ports are nobody else's.
"""
