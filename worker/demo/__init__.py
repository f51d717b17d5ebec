"""One loan's whole life, played against real processes, so that a stranger can watch both sets of books agree."""
