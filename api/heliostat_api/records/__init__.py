"""Records turn stored agents, runs and conversations into the views of them: no I/O."""
