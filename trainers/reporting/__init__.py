"""What a reader sees: lines, tables, curves, pictures."""
