// Text: placeholder of the first commit.
