"""A slow event engine in decimal arithmetic, the kernel's judge; it imports nothing of ours."""
