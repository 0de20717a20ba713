"""One self-contained HTML file that explains a finished job to the person who must decide."""
