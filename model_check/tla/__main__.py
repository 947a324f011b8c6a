"""`python -m model_check.tla` is `slotproof twin`."""

from model_check.tla.command import command

if __name__ == "__main__":
    command(prog_name="python -m model_check.tla")
