"""What Slipway does to the world: the code behind the Invoke verbs."""
