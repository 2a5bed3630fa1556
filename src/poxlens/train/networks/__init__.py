"""The networks by name: what each expects, what it gives, and where its weights come from."""
