"""The platform's contract with a training container. Standard library only: it is loaded before anything else."""
