"""Referrals: how they come in, in which order they are looked at, and what a clinician answers."""
