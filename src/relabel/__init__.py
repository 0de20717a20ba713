"""Find wrong labels over embeddings, clean them, retrain, prove what that was worth, and serve the model."""

__version__ = "0.1.0"
