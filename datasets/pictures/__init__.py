"""Pictures and videos: read, cut to the face, shown."""
