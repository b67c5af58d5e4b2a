"""From a question to its compiled form, and from a batch of questions to weights."""
