"""Whether rows that come later are like those of a reference: window by window, and over many windows. Pure."""
