"""Questions: asked in the domain's words, answered from counts with result records."""
