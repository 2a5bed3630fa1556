"""What a model does not know: detectors of novelty, measured on conditions that were left out of training."""
