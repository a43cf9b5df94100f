"""Made: what the pages show that is made from the code."""
