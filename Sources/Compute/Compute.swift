// Compute: placeholder of the first commit.
