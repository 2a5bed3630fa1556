"""The local page and its JSON API: photos in, decisions out, nothing kept."""
