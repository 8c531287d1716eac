"""Evidence on tensors: which of them differ between two models, by how much, and what is odd."""
