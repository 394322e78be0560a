"""What runs deliver: transcripts and files."""
