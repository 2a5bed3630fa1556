"""Backbones, feature cache, heads, tuning."""
