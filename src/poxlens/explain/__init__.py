"""What in a photo an answer rests on, and whether such a map deserves trust."""
