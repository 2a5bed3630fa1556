"""The graph a runtime loads, and the model card."""
