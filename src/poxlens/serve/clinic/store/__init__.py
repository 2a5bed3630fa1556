"""What the clinic keeps: tables, migrations, keys, sealed photos, backup, retention."""
