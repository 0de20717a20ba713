"""The client side on AWS: what a person's machine asks of SageMaker, S3 and their kin."""
