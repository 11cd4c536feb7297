"""What is kept up with parents who live apart from their child."""
