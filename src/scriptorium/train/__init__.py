"""Fresh models, supervised training, reinforcement."""
