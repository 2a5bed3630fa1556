"""The page of `poxlens data annotate`: a key for each label of each image, saved at once."""
