"""SimCLR: a network learns from images without labels that two views of one image are alike (Yue 2024, 6.2)."""
