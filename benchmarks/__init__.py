"""Speed and scale, side by side with what a user would write instead."""
