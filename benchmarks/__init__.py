"""How fast the program is: against a plain bash script with the same commands, and by itself. Prints; never part of a wheel."""
