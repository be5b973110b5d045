"""Tags and stages that customers get by themselves."""
