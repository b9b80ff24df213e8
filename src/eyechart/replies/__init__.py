"""What the words of a reply say, before anything is decided: plain text and what it names."""
