"""What a report says, in sentences: pure functions of the facts."""
