"""One photo: decode, turn upright, strip metadata, quality checks, skin mask, skin tone, crop, resize."""
