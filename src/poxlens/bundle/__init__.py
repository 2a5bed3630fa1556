"""A trained model on disk: manifest schema, read, verify, pack."""
