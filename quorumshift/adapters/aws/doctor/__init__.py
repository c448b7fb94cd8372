"""Gathers the facts that ``quorumshift doctor`` judges; changes nothing and reads no secret."""
