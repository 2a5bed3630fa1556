"""Curation as in Campana 2024, section 4.1: from a table of images to close-up crops of skin, with a person's say."""
