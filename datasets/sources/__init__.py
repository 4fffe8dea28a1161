"""What sources read or draw."""
