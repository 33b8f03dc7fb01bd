// Checkpoints: placeholder of the first commit.
