"""The chat of the support capability: greeting and global words, the asker's side, the side of those on duty."""
