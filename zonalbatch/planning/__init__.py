"""What will be done: cut into parts, named, stored; decided from metadata alone."""
