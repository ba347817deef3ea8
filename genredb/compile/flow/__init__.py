"""What each column of a query comes from, by value and by influence."""
