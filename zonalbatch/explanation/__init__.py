"""Where one number comes from: its cells, in words and as a drawing."""
