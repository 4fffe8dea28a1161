"""Procedurally drawn faces: who is shown, what the face does, where its points lie, how it is painted."""
