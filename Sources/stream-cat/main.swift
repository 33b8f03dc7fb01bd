// stream-cat
