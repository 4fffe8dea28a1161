"""Many runs of one program, ending in one table."""
