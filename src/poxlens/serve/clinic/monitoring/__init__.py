"""Does the model still do here what its evidence says: agreement, sensitivity, predictive value, drift."""
