"""What every page is made of: filters, figures, states and the frame round them."""
