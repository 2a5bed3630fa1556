"""Labels that people give to images by looking: what is asked, their tables, what joins them to others."""
