"""How the numbers are made, in words: what the page Methods says, read from where it is defined."""
