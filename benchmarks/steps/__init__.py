"""What `benchmarks.accuracy_steps` is made of."""
