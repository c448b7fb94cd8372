"""The CDK app: everything that a deployment of one service needs in AWS."""
