"""The sample service: what a rehearsal deploys. Each task is one front and one etcd member."""
