"""What each system's export looks like; one file a system."""
