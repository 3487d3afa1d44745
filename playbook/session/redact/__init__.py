"""What may never reach disk, terminal or report. Pure functions of bytes, and the memory of what was learned."""
