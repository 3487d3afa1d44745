kubectl describe node <name>
