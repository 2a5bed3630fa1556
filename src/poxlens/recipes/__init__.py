"""From a manifest to a bundle: what `poxlens train` runs, one file a recipe."""
