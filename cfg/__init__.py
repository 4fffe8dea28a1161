"""The shipped `.cfg` files."""
