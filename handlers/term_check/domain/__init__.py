"""What is true of the check whoever asks and wherever it is kept."""
