"""What a verification needs of this machine and of the cluster, seen before anything of the guide is run."""
