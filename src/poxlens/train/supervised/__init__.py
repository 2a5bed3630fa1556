"""Training a whole network on labelled images: recipes, augmentation on the fly, curves, checkpoints, resume."""
