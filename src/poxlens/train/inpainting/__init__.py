"""Mask, Inpainting and Measure (Yue 2024): a network that fills in the middle of mpox photos alone."""
