// Model: the vocabulary as values. What a configuration says, and nothing that happens.
