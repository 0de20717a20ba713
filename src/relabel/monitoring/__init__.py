"""What an endpoint sees over time, held against what its model was made of."""
