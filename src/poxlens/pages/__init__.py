"""Self-contained HTML pages: one shell, tables, plots as inline SVG. No script, no request."""
