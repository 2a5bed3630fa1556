"""Compare networks and heads on one table of images under one protocol: what `poxlens compare` runs."""
