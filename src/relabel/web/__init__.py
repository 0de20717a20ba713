"""A page on which anybody tries the model, and the function between the page and an endpoint."""
