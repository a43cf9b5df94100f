"""What a worker does with one part: read each block once, gather, measure, reduce, write."""
