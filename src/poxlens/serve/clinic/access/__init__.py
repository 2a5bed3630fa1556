"""Who may do what: passwords, one-time codes, sessions, device tokens, OpenID Connect."""
