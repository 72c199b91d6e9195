"""The vocabulary of the features: a module for each noun, and in it a step for each sentence."""
