"""Raft adapters: how each kind of service is asked about its cluster, and told to change it."""
