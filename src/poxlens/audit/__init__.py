"""Faults of a table of images and of its splits that would make figures lie."""
