"""`python -m relabel`."""

from relabel.cli.main import main

main()
