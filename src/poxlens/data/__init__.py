"""Tables of images: manifest, duplicates, splits, phantoms."""
