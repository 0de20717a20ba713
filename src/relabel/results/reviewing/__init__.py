"""People look at labels: what they are asked, in which files, what their answers come to."""
