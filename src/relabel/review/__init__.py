"""The page on which people work through the doubtful labels."""
