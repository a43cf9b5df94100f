"""Jobs: runs of job documents, each by a process of its own."""
