"""A trained run becomes a bundle for the phone: every form of its graph, each proved against 32-bit floats."""
