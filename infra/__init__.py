"""The CDK app: everything that deployments of one service, or of several, need in AWS."""
