"""One owner for each resource: shared processes, found through files, gone when nobody uses them."""
