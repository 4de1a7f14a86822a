"""What is measured: each module has ``run(effort)``, a ``Result`` for each contender and setting."""
