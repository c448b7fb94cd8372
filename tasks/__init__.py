"""What AWS Lambda runs: one file a state, one a hook, each with a ``handler``."""
