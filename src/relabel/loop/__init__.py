"""Continuous annotation, once around: traffic, what to label next, people's answers, a new model, and its place if it is better."""
