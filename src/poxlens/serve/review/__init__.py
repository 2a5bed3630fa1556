"""The page of `poxlens data review`: a person's say on each proposed crop, saved line by line."""
