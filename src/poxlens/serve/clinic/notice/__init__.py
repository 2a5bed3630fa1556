"""Notices to clinicians: written with what they tell of, sent later, retried, never with personal data."""
