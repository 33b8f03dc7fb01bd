// Command: placeholder of the first commit.
