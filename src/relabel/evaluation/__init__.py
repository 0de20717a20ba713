"""How good a model is, and how sure one can be that another is better."""
